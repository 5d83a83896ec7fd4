interface Timer {
  readonly at: number;
  readonly callback: () => void;
}

export interface TestClock {
  readonly now: () => number;
  readonly schedule: (delayMs: number, callback: () => void) => void;
  /** Moves on, and calls back what was scheduled on the way. */
  readonly advance: (ms: number) => void;
  /** Calls back the next timer so many milliseconds before its time, as Node's timers do against the wall clock. */
  readonly fireEarly: (ms: number) => void;
}

/** A clock that stands still until it is moved. */
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
