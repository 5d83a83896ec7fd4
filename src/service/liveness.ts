import type { App } from "./compose.ts";
import { Progress, stallLimitMs } from "./stall-detector.ts";
import { type Seen, dumpOf, progressOf } from "./status.ts";

const checkEveryMs = 1_000;

/** Looks whether the consumer alone is silent, and tells of it once per change. */
const createSilenceCheck = ({ log, silence, knock, member }: App): (() => void) => {
  let isKnocking = false;
  let told: string | undefined;
  const ask = async (): Promise<void> => {
    isKnocking = true;
    try {
      await knock();
      silence.clusterAnswered();
    } catch (error) {
      log.debug({ err: error }, "No broker answers");
    } finally {
      isKnocking = false;
    }
  };
  return () => {
    silence.check(member.consumer.brokers);
    if (silence.isInDoubt && !isKnocking) void ask();
    const { sentence } = silence;
    if (sentence !== undefined && told === undefined) log.error({ problem: sentence }, "The consumer has died");
    if (sentence === undefined && told !== undefined) log.info("The consumer is alive again");
    told = sentence;
  };
};

export interface Liveness {
  /** For `/livez`: progress of our own, never a dependency. */
  readonly live: () => { readonly ok: boolean; readonly detail: string };
  readonly close: () => void;
}

/** Watches whether work goes on, also while nobody probes; a stall's state is in the log before somebody ends the process. */
export const createLiveness = (seen: Seen): Liveness => {
  const { config, log, member, silence } = seen.app;
  const { timeoutMs } = config.gainsight;
  const { quickAttempts } = config.retry;
  const progress = new Progress({
    limitMs: stallLimitMs({ timeoutMs, quickAttempts }),
    now: () => performance.now(),
    read: () => progressOf(seen),
    onStall: (silentMs) => log.error({ silentMs: Math.round(silentMs), ...dumpOf(seen) }, "Stalled: nothing moves"),
    onEnd: (silentMs) => log.info({ silentMs: Math.round(silentMs) }, "The stall has ended"),
  });
  const checkSilence = createSilenceCheck(seen.app);
  const timer = setInterval(() => {
    progress.check();
    checkSilence();
  }, checkEveryMs);
  const problem = (): string | undefined => silence.sentence ?? progress.stall;
  return {
    live: () => ({ ok: problem() === undefined, detail: problem() ?? member.membership.state }),
    close: () => clearInterval(timer),
  };
};
