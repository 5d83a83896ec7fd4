/** Time and randomness of a running service. Tests pass their own. */
export interface ServiceClock {
  readonly now: () => number;
  readonly monotonic: () => number;
  readonly random: () => number;
  readonly schedule: (delayMs: number, callback: () => void) => void;
  readonly nextTurn: (callback: () => void) => void;
}

export const clock: ServiceClock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  random: () => Math.random(),
  schedule: (delayMs: number, callback: () => void) => void setTimeout(callback, delayMs).unref(),
  nextTurn: (callback: () => void) => void setImmediate(callback),
};

/** Resolves after so many milliseconds. */
export const pause = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
