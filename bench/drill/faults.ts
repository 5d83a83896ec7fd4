import { anew, grow, rights } from "./cluster-faults.ts";
import { broker, freeze, join, kill, leave, registry, restart } from "./process-faults.ts";
import type { Play } from "./scene.ts";
import type { MainKind, SideKind } from "./schedule.ts";
import { diskFull, failCohort, hold, mix, partly, rotated, settleMs, wholeTarget } from "./target-faults.ts";

const skewMs = 600_000;

/** What each kind of fault does. */
export const plays: Readonly<Record<MainKind | SideKind, Play>> = {
  kill,
  freeze,
  bounce: restart(() => 0),
  skew: restart((pick) => (pick < 0.5 ? -skewMs : skewMs)),
  join,
  leave,
  broker,
  registry,
  "disk-full": diskFull,
  "outage-503": wholeTarget("Gainsight answers 503", { kind: "outage", mode: "503" }),
  "outage-reset": wholeTarget("Gainsight resets every connection", { kind: "outage", mode: "reset" }),
  "outage-hang": hold({
    say: "Gainsight never answers",
    begin: ({ target }) => target.begin({ kind: "outage", mode: "hang" }),
    // With few calls under way, the breaker opens only when those after them have timed out as well.
    settledAfterMs: ({ timeoutMs }) => 2 * timeoutMs + settleMs,
  }),
  "outage-refuse": hold({
    say: "Gainsight refuses connections",
    begin: ({ target }) => {
      target.shut();
      return target.reopen;
    },
  }),
  throttled: wholeTarget("Gainsight answers 429 with Retry-After: 2", { kind: "status", status: 429, retryAfter: "2" }),
  revoked: wholeTarget("the key is revoked", { kind: "revoked-key" }),
  rotated,
  slow: partly("Gainsight takes up to half a second", ({ target }) =>
    target.begin({ kind: "latency", ms: 200, jitterMs: 300 }),
  ),
  late: partly("every tenth call is taken after its time-out", ({ target, timeoutMs }) =>
    target.begin({ kind: "latency", ms: timeoutMs + 1_000, ratio: 0.1 }),
  ),
  "lost-answer": partly("every tenth event is taken and its answer lost", ({ target }) => {
    target.loseAnswers(0.1);
    return () => target.loseAnswers(0);
  }),
  unlucky: (fault, scene) => partly("some users fail with 500", () => failCohort(scene, fault.pick))(fault, scene),
  refused: mix("events that Gainsight refuses for good", "refused"),
  poison: mix("values that nobody can decode", "poison"),
  repeats: partly("the producer sends its last 1,000 events again", ({ flow }) => {
    flow.repeat(1_000);
    return () => undefined;
  }),
  grow,
  anew,
  rights,
};
