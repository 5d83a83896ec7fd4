import { recreateSecondSource, addSourcePartition, revokeRight } from "./cluster-faults.ts";
import {
  killBroker,
  freezeInstance,
  addInstance,
  killInstance,
  removeInstance,
  stopRegistry,
  restartInstance,
} from "./process-faults.ts";
import type { RunFault } from "./scene.ts";
import type { MainKind, SideKind } from "./schedule.ts";
import {
  refuseKafkaWrites,
  failCohort,
  runOutage,
  mixInRunner,
  partialFaultRunner,
  rotateAccessKey,
  inFlightSettleMs,
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
    // With few calls under way, the breaker opens only when those after them have timed out as well.
    settledAfterMs: ({ timeoutMs }) => 2 * timeoutMs + inFlightSettleMs,
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
  revoked: outageRunner("the key is revoked", { kind: "revoked-key" }),
  rotated: rotateAccessKey,
  slow: partialFaultRunner("Gainsight takes up to half a second", ({ target }) =>
    target.startFault({ kind: "latency", ms: 200, jitterMs: 300 }),
  ),
  late: partialFaultRunner("every tenth call is taken after its time-out", ({ target, timeoutMs }) =>
    target.startFault({ kind: "latency", ms: timeoutMs + 1_000, ratio: 0.1 }),
  ),
  "lost-answer": partialFaultRunner("every tenth event is taken and its answer lost", ({ target }) => {
    target.loseAnswers(0.1);
    return () => target.loseAnswers(0);
  }),
  unlucky: (fault, scene) =>
    partialFaultRunner("some users fail with 500", () => failCohort(scene, fault.pick))(fault, scene),
  refused: mixInRunner("events that Gainsight refuses for good", "refused"),
  poison: mixInRunner("values that nobody can decode", "poison"),
  repeats: partialFaultRunner("the producer sends its last 1,000 events again", ({ flow }) => {
    flow.repeat(1_000);
    return () => undefined;
  }),
  grow: addSourcePartition,
  anew: recreateSecondSource,
  rights: revokeRight,
};
