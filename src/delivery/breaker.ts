import { EventEmitter } from "node:events";

import CircuitBreaker from "opossum";

export type BreakerState = "closed" | "half-open" | "open";

export interface BreakerOptions {
  readonly errorPercent: number;
  readonly minCalls: number;
  readonly windowMs: number;
  /** The pause before the next probe, in milliseconds; `failedProbes` and `downMs` count since the breaker opened. */
  readonly pauseMs: (failedProbes: number, downMs: number) => number;
  readonly onChange: (state: BreakerState) => void;
}

export interface Breaker {
  readonly state: BreakerState;
  /** Tells the breaker of a call that went well. Closes it where it is half open. */
  succeeded(): Promise<void> | undefined;
  /** Tells the breaker of a call that failed by the target's fault; resolves when the state has taken it in. */
  failed(): Promise<void>;
  /** Tells the breaker of a call that went well but took too long: a failure, though nothing was lost by it. */
  slow(): Promise<void>;
  shutdown(): void;
}

const windowParts = 10;

class TargetFailure extends Error {}

/** Our own failure, or opossum's word that it is open or shut down: then it takes no results, and none are missed. */
const isExpected = (error: unknown): boolean =>
  error instanceof TargetFailure || (error instanceof Error && CircuitBreaker.isOurError(error));

const judge = async (ok: boolean): Promise<void> => {
  if (!ok) throw new TargetFailure();
};

/** Turns opossum's window, so that it can be emptied: opossum's own way only lets it run out. */
const createTurner = (windowMs: number) => {
  const turner = new EventEmitter();
  const timer = setInterval(() => turner.emit("rotate"), windowMs / windowParts).unref();
  return {
    turner,
    empty: () => {
      for (let part = 0; part < windowParts; part++) turner.emit("rotate");
    },
    stop: () => clearInterval(timer),
  };
};

const settingsOf = ({ errorPercent, minCalls, windowMs, pauseMs }: BreakerOptions, turner: EventEmitter) => ({
  timeout: false as const,
  // Opossum opens above the limit, our contract says at it.
  errorThresholdPercentage: errorPercent - 0.001,
  volumeThreshold: minCalls,
  rollingCountTimeout: windowMs,
  rollingCountBuckets: windowParts,
  rotateBucketController: turner,
  rollingPercentilesEnabled: false,
  enableSnapshots: false,
  resetTimeout: pauseMs(0, 0),
});

/** Failures in a row, none older than the window: a target that was healthy a second ago may be down now. */
const createRow = ({ minCalls, windowMs }: BreakerOptions) => {
  let count = 0;
  let since = 0;
  return {
    end: () => {
      count = 0;
    },
    /** Adds a failure; true when the row is long enough to speak for itself. */
    add: (): boolean => {
      const now = performance.now();
      if (count === 0 || now - since > windowMs) [count, since] = [0, now];
      count++;
      return count >= minCalls;
    },
  };
};

/** An opossum circuit whose pauses grow, and whose window is emptied when it closes. */
const createCircuit = (options: BreakerOptions, onOpen: () => void) => {
  let failedProbes = 0;
  let downSince = 0;
  const { turner, empty, stop } = createTurner(options.windowMs);
  // Opossum keeps this very object and reads `resetTimeout` at each opening: that is how the pause grows.
  const settings = settingsOf(options, turner);
  const circuit = new CircuitBreaker(judge, settings);
  circuit.on("halfOpen", () => {
    failedProbes++;
    settings.resetTimeout = options.pauseMs(failedProbes, performance.now() - downSince);
    options.onChange("half-open");
  });
  circuit.on("open", () => {
    if (failedProbes === 0) downSince = performance.now();
    onOpen();
    options.onChange("open");
  });
  circuit.on("close", () => {
    failedProbes = 0;
    settings.resetTimeout = options.pauseMs(0, 0);
    // The failures that opened it would open it again with the next one.
    empty();
    options.onChange("closed");
  });
  return { circuit, stop };
};

/**
 * Opossum as the judge of the target's health. Each call's result is told to it once it is known, instead of running the
 * call inside: what must not count (4xx, 429, late results, repetitions of one round) is simply not told, so that none of
 * opossum's traps can spring (`errorFilter` counts as success, late results change the state, a shared abort controller).
 */
export const createBreaker = (options: BreakerOptions): Breaker => {
  const row = createRow(options);
  const { circuit, stop } = createCircuit(options, row.end);
  const tell = (ok: boolean): Promise<void> =>
    circuit.fire(ok).catch((error: unknown) => {
      if (!isExpected(error)) throw error;
    });
  const tellFailure = async (): Promise<void> => {
    // Opossum takes a moment to hear of it, and a second probe could slip through meanwhile.
    if (circuit.halfOpen) circuit.open();
    else await tell(false);
  };
  return {
    get state() {
      if (circuit.closed) return "closed";
      return circuit.halfOpen ? "half-open" : "open";
    },
    succeeded: () => {
      row.end();
      if (!circuit.closed) return tell(true);
      // Opossum's percentage is that of failures among `fire` events. A call of it costs ten times as much, at every delivery.
      circuit.emit("fire");
      return undefined;
    },
    failed: async () => {
      const isDown = row.add();
      await tellFailure();
      // Behind ten busy seconds of good calls, the percentage would see an outage only when they have left the window.
      if (isDown) circuit.open();
    },
    // Neither part of the row nor its end: slow calls use up no attempts, so there is time to wait for the percentage.
    slow: tellFailure,
    shutdown: () => {
      stop();
      circuit.shutdown();
    },
  };
};
