/** The time and the chance of a running service. Tests pass others in. */
export const clock = {
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
