import type { App } from "./compose.ts";
import { StallDetector, stallLimitMs } from "./stall-detector.ts";
import { type ServiceView, diagnosticsOf, progressOf } from "./status.ts";

const checkEveryMs = 1_000;

/** Looks whether the consumer alone is silent, and tells of it once per change. */
const createConsumerCheck = ({ log, watchdog, pingCluster: knock, group }: App): (() => void) => {
  let isPinging = false;
  let reported: string | undefined;
  const pingCluster = async (): Promise<void> => {
    isPinging = true;
    try {
      await knock();
      watchdog.onClusterResponse();
    } catch (error) {
      log.debug({ err: error }, "No broker answers");
    } finally {
      isPinging = false;
    }
  };
  return () => {
    watchdog.check(group.consumer.brokers);
    if (watchdog.needsProbe && !isPinging) void pingCluster();
    const { problem: problemSentence } = watchdog;
    if (problemSentence !== undefined && reported === undefined)
      log.error({ problem: problemSentence }, "The consumer has died");
    if (problemSentence === undefined && reported !== undefined) log.info("The consumer is alive again");
    reported = problemSentence;
  };
};

export interface Liveness {
  /** For `/livez`: progress of our own, never a dependency. */
  readonly check: () => { readonly ok: boolean; readonly detail: string };
  readonly close: () => void;
}

/** Watches whether work goes on, also while nobody probes; a stall's state is in the log before somebody ends the process. */
export const createLiveness = (view: ServiceView): Liveness => {
  const { config, log, group, watchdog, sessionGuard } = view.app;
  const { timeoutMs } = config.gainsight;
  const { quickAttempts } = config.retry;
  const stallDetector = new StallDetector({
    limitMs: stallLimitMs({ timeoutMs, quickAttempts }),
    monotonicNow: () => performance.now(),
    readProgress: () => progressOf(view),
    onStall: (silentMs) =>
      log.error({ silentMs: Math.round(silentMs), ...diagnosticsOf(view) }, "Stalled: nothing moves"),
    onStallEnd: (silentMs) => log.info({ silentMs: Math.round(silentMs) }, "The stall has ended"),
  });
  const checkSilence = createConsumerCheck(view.app);
  const timer = setInterval(() => {
    // Only a member that owns partitions can lose its session.
    if (group.rebalanceHandler.state === "owner") sessionGuard.check();
    stallDetector.check();
    checkSilence();
  }, checkEveryMs);
  const problem = (): string | undefined => watchdog.problem ?? stallDetector.stallSentence;
  return {
    check: () => ({ ok: problem() === undefined, detail: problem() ?? group.rebalanceHandler.state }),
    close: () => clearInterval(timer),
  };
};
