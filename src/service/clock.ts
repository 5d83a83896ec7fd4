/** Time and randomness of the running service. Tests pass their own. */
export interface ServiceClock {
  /** Milliseconds since 1970. An operator or NTP may set this clock back. */
  readonly wallNow: () => number;
  /** Milliseconds; only differences count. Nobody can set this clock. */
  readonly monotonicNow: () => number;
  /** From 0 up to, but not including, 1. */
  readonly random: () => number;
  /** Calls back after `delayMs`. The timer does not keep the process alive. */
  readonly schedule: (delayMs: number, callback: () => void) => void;
  /** Calls back in the next turn of the event loop. */
  readonly nextTurn: (callback: () => void) => void;
}

export const clock: ServiceClock = {
  wallNow: () => Date.now(),
  monotonicNow: () => performance.now(),
  random: () => Math.random(),
  schedule: (delayMs, callback) => void setTimeout(callback, delayMs).unref(),
  nextTurn: (callback) => void setImmediate(callback),
};

/** Resolves after `ms`. */
export const sleep = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
