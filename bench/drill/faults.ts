import { recreateSecondSource, addSourcePartition, revokeRight } from "./cluster-faults.ts";
import type { RunFault } from "./context.ts";
import {
  killBroker,
  freezeInstance,
  addInstance,
  killInstance,
  removeInstance,
  stopRegistry,
  restartInstance,
} from "./process-faults.ts";
import type { MainKind, SideKind } from "./schedule.ts";
import {
  refuseKafkaWrites,
  failCohort,
  runOutage,
  mixInRunner,
  partialFaultRunner,
  rotateAccessKey,
  inFlightMs,
  outageRunner,
} from "./target-faults.ts";

const skewMs = 600_000;

/** What each kind of fault does. */
export const faultRunners: Readonly<Record<MainKind | SideKind, RunFault>> = {
  kill: killInstance,
  freeze: freezeInstance,
  bounce: restartInstance(() => 0),
  skew: restartInstance((pick) => (pick < 0.5 ? -skewMs : skewMs)),
  join: addInstance,
  leave: removeInstance,
  broker: killBroker,
  registry: stopRegistry,
  "disk-full": refuseKafkaWrites,
  "outage-503": outageRunner("Gainsight answers 503", { kind: "outage", mode: "503" }),
  "outage-reset": outageRunner("Gainsight resets every connection", { kind: "outage", mode: "reset" }),
  "outage-hang": runOutage({
    say: "Gainsight never answers",
    begin: ({ target }) => target.startFault({ kind: "outage", mode: "hang" }),
    // With few calls in flight, the breaker opens only after the next calls have timed out as well.
    callsEndAfterMs: ({ timeoutMs }) => 2 * timeoutMs + inFlightMs,
  }),
  "outage-refuse": runOutage({
    say: "Gainsight refuses connections",
    begin: ({ target }) => {
      target.pause();
      return target.resume;
    },
  }),
  throttled: outageRunner("Gainsight answers 429 with Retry-After: 2", {
    kind: "status",
    status: 429,
    retryAfter: "2",
  }),
  revoked: outageRunner("Gainsight has revoked the access key", { kind: "revoked-key" }),
  rotated: rotateAccessKey,
  slow: partialFaultRunner("Gainsight takes up to 500 ms per call", ({ target }) =>
    target.startFault({ kind: "latency", ms: 200, jitterMs: 300 }),
  ),
  late: partialFaultRunner("Gainsight accepts every tenth call only after its time-out", ({ target, timeoutMs }) =>
    target.startFault({ kind: "latency", ms: timeoutMs + 1_000, ratio: 0.1 }),
  ),
  "lost-answer": partialFaultRunner("Gainsight accepts every tenth event, but the response is lost", ({ target }) => {
    target.loseAnswers(0.1);
    return () => target.loseAnswers(0);
  }),
  unlucky: (fault, context) =>
    partialFaultRunner("Gainsight answers 500 for some users", () => failCohort(context, fault.pick))(fault, context),
  refused: mixInRunner("some events are rejected by Gainsight", "refused"),
  poison: mixInRunner("some values cannot be decoded", "poison"),
  repeats: async ({ lastsMs }, { flow, say, wait }) => {
    say("the producer sends its last 1,000 events again");
    flow.repeat(1_000);
    await wait(lastsMs);
    return {};
  },
  grow: addSourcePartition,
  anew: recreateSecondSource,
  rights: revokeRight,
};
