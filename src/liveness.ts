import { Progress, stallLimitMs } from "./ops/progress.ts";
import { type Seen, dumpOf, progressOf } from "./overview.ts";

const checkEveryMs = 1_000;

export interface Liveness {
  /** For `/livez`: progress of our own, never a dependency. */
  readonly live: () => { readonly ok: boolean; readonly detail: string };
  readonly close: () => void;
}

/** Watches whether work goes on, also while nobody probes; a stall's state is in the log before somebody ends the process. */
export const createLiveness = (seen: Seen): Liveness => {
  const { config, log, member } = seen.app;
  const { timeoutMs } = config.gainsight;
  const { quickAttempts } = config.retry;
  const progress = new Progress({
    limitMs: stallLimitMs({ timeoutMs, quickAttempts }),
    now: () => performance.now(),
    read: () => progressOf(seen),
    onStall: (silentMs) => log.error({ silentMs: Math.round(silentMs), ...dumpOf(seen) }, "Stalled: nothing moves"),
    onEnd: (silentMs) => log.info({ silentMs: Math.round(silentMs) }, "The stall has ended"),
  });
  const timer = setInterval(() => progress.check(), checkEveryMs);
  return {
    live: () => ({ ok: progress.stall === undefined, detail: progress.stall ?? member.membership.state }),
    close: () => clearInterval(timer),
  };
};
