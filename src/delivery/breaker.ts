import { EventEmitter } from "node:events";

import CircuitBreaker from "opossum";

export type BreakerState = "closed" | "half-open" | "open";

export interface BreakerOptions {
  readonly errorPercent: number;
  readonly minCalls: number;
  readonly windowMs: number;
  /** The pause before the next probe, in milliseconds; `failedProbes` and `downMs` count since the breaker opened. */
  readonly probePauseMs: (failedProbes: number, downMs: number) => number;
  readonly onChange: (state: BreakerState) => void;
}

export interface Breaker {
  readonly state: BreakerState;
  /** Tells the breaker of a call that went well. Closes it where it is half open. */
  recordSuccess(): Promise<void> | undefined;
  /** Tells the breaker of a call that failed by the target's fault; resolves when the state has taken it in. */
  recordFailure(): Promise<void>;
  /** Tells the breaker of a call that went well but took too long: a failure, though nothing was lost by it. */
  recordSlowCall(): Promise<void>;
  shutdown(): void;
}

const windowBuckets = 10;

class TargetFailure extends Error {}

/** Our own failure, or opossum's word that it is open or shut down: then it takes no results, and none are missed. */
const isExpectedRejection = (error: unknown): boolean =>
  error instanceof TargetFailure || (error instanceof Error && CircuitBreaker.isOurError(error));

const failUnlessOk = async (ok: boolean): Promise<void> => {
  if (!ok) throw new TargetFailure();
};

/** Turns opossum's window, so that it can be emptied: opossum's own way only lets it run out. */
const createWindowRotator = (windowMs: number) => {
  const rotator = new EventEmitter();
  const timer = setInterval(() => rotator.emit("rotate"), windowMs / windowBuckets).unref();
  return {
    turner: rotator,
    empty: () => {
      for (let bucket = 0; bucket < windowBuckets; bucket++) rotator.emit("rotate");
    },
    stop: () => clearInterval(timer),
  };
};

const circuitOptionsOf = (
  { errorPercent, minCalls, windowMs, probePauseMs }: BreakerOptions,
  rotator: EventEmitter,
) => ({
  timeout: false as const,
  // Opossum opens above the limit, our contract says at it.
  errorThresholdPercentage: errorPercent - 0.001,
  volumeThreshold: minCalls,
  rollingCountTimeout: windowMs,
  rollingCountBuckets: windowBuckets,
  rotateBucketController: rotator,
  rollingPercentilesEnabled: false,
  enableSnapshots: false,
  resetTimeout: probePauseMs(0, 0),
});

/** Failures in a row, none older than the window: a target that was healthy a second ago may be down now. */
const createConsecutiveFailures = ({ minCalls, windowMs }: BreakerOptions) => {
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
  const { turner: rotator, empty: clearWindow, stop } = createWindowRotator(options.windowMs);
  // Opossum keeps this very object and reads `resetTimeout` at each opening: that is how the pause grows.
  const circuitOptions = circuitOptionsOf(options, rotator);
  const circuit = new CircuitBreaker(failUnlessOk, circuitOptions);
  circuit.on("halfOpen", () => {
    failedProbes++;
    circuitOptions.resetTimeout = options.probePauseMs(failedProbes, performance.now() - downSince);
    options.onChange("half-open");
  });
  circuit.on("open", () => {
    if (failedProbes === 0) downSince = performance.now();
    onOpen();
    options.onChange("open");
  });
  circuit.on("close", () => {
    failedProbes = 0;
    circuitOptions.resetTimeout = options.probePauseMs(0, 0);
    // The failures that opened it would open it again with the next one.
    clearWindow();
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
  const consecutiveFailures = createConsecutiveFailures(options);
  const { circuit, stop } = createCircuit(options, consecutiveFailures.end);
  const fire = (ok: boolean): Promise<void> =>
    circuit.fire(ok).catch((error: unknown) => {
      if (!isExpectedRejection(error)) throw error;
    });
  const fireFailure = async (): Promise<void> => {
    // Opossum takes a moment to hear of it, and a second probe could slip through meanwhile.
    if (circuit.halfOpen) circuit.open();
    else await fire(false);
  };
  return {
    get state() {
      if (circuit.closed) return "closed";
      return circuit.halfOpen ? "half-open" : "open";
    },
    recordSuccess: () => {
      consecutiveFailures.end();
      if (!circuit.closed) return fire(true);
      // Opossum's percentage is that of failures among `fire` events. A call of it costs ten times as much, at every delivery.
      circuit.emit("fire");
      return undefined;
    },
    recordFailure: async () => {
      const isDown = consecutiveFailures.add();
      await fireFailure();
      // Behind ten busy seconds of good calls, the percentage would see an outage only when they have left the window.
      if (isDown) circuit.open();
    },
    // Neither part of the row nor its end: slow calls use up no attempts, so there is time to wait for the percentage.
    recordSlowCall: fireFailure,
    shutdown: () => {
      stop();
      circuit.shutdown();
    },
  };
};
