interface Timer {
  readonly at: number;
  readonly callback: () => void;
}

export interface TestClock {
  readonly now: () => number;
  readonly schedule: (delayMs: number, callback: () => void) => void;
  /** Advances the time, and runs the callbacks that are due. */
  readonly advance: (ms: number) => void;
  /** Runs the next callback some milliseconds early, as Node's timers do by the wall clock. */
  readonly fireEarly: (ms: number) => void;
}

/** A clock that stands still until the test advances it. */
export const createTestClock = (start = 1_700_000_000_000): TestClock => {
  let time = start;
  const timers: Timer[] = [];
  return {
    now: () => time,
    schedule: (delayMs, callback) => {
      timers.push({ at: time + delayMs, callback });
      timers.sort((a, b) => a.at - b.at);
    },
    advance: (ms) => {
      const end = time + ms;
      for (let [next] = timers; next && next.at <= end; [next] = timers) {
        timers.shift();
        time = Math.max(time, next.at);
        next.callback();
      }
      time = end;
    },
    fireEarly: (ms) => {
      const next = timers.shift();
      if (!next) return;
      time = next.at - ms;
      next.callback();
    },
  };
};
