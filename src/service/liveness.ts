import type { App } from "./compose.ts";
import { type ServiceView, activeHoldsOf } from "./service-view.ts";
import { diagnosticsOf, pausedPartitionsOf } from "./snapshot.ts";
import { type ProgressReading, StallDetector, idleReasonOf, stallLimitMs } from "./stall-detector.ts";

const checkEveryMs = 1_000;

const progressOf = ({ app, readiness }: ServiceView): ProgressReading => {
  const { sessionGuard, group, metrics, budget, deadLetterLimit } = app;
  const groupState = group.rebalanceHandler.state;
  const idleReason = idleReasonOf({
    startupProblem: readiness.startupProblem,
    groupState,
    // If only the events of one cause wait, all others must make progress.
    holds: activeHoldsOf(app).filter((hold) => hold !== "flooded" || deadLetterLimit.isHeld),
    // Only an owner can lose its session; before the first join there is none.
    isSessionAlive: groupState !== "owner" || !sessionGuard.isExpired,
  });
  // A partition that waits for the budget while no record is in memory would wait for ever.
  const heldRecords = budget.records + (pausedPartitionsOf(app)["budget"] ?? 0);
  return { progressCount: metrics.progressCount(), heldRecords, idleReason };
};

/** Checks whether only the consumer gets no responses from Kafka, and logs each change. */
const createConsumerCheck = ({ log, watchdog, pingCluster, group }: App): (() => void) => {
  let isPinging = false;
  let loggedProblem: string | undefined;
  const ping = async (): Promise<void> => {
    isPinging = true;
    try {
      await pingCluster();
      watchdog.onClusterResponse();
    } catch (error) {
      log.debug({ err: error }, "No broker answers");
    } finally {
      isPinging = false;
    }
  };
  return () => {
    watchdog.check(group.consumer.brokers);
    if (watchdog.needsProbe && !isPinging) void ping();
    const { problem } = watchdog;
    if (problem !== undefined && loggedProblem === undefined) log.error({ problem }, "The consumer has died");
    if (problem === undefined && loggedProblem !== undefined) log.info("The consumer is alive again");
    loggedProblem = problem;
  };
};

export interface Liveness {
  /** The body of `/livez`: whether the process makes progress. A dependency that is down does not count. */
  readonly check: () => { readonly ok: boolean; readonly detail: string };
  readonly close: () => void;
}

/** Checks every second whether the service makes progress, also without probes, so that the log shows a stall before anybody kills the process. */
export const createLiveness = (view: ServiceView): Liveness => {
  const { config, log, group, watchdog, sessionGuard } = view.app;
  const { timeoutMs } = config.gainsight;
  const { quickAttempts } = config.retry;
  const stallDetector = new StallDetector({
    limitMs: stallLimitMs({ timeoutMs, quickAttempts }),
    monotonicNow: () => performance.now(),
    readProgress: () => progressOf(view),
    onStall: (idleMs) =>
      log.error({ silentMs: Math.round(idleMs), ...diagnosticsOf(view.app) }, "Stalled: nothing moves"),
    onStallEnd: (idleMs) => log.info({ silentMs: Math.round(idleMs) }, "The stall has ended"),
  });
  const checkConsumer = createConsumerCheck(view.app);
  const timer = setInterval(() => {
    // Only a member that owns partitions can lose its session.
    if (group.rebalanceHandler.state === "owner") sessionGuard.check();
    stallDetector.check();
    checkConsumer();
  }, checkEveryMs);
  return {
    check: () => {
      const problem = watchdog.problem ?? stallDetector.stallSentence;
      return { ok: problem === undefined, detail: problem ?? group.rebalanceHandler.state };
    },
    close: () => clearInterval(timer),
  };
};
