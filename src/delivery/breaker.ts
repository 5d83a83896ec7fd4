import { EventEmitter } from "node:events";

import CircuitBreaker from "opossum";

export type BreakerState = "closed" | "half-open" | "open";

export interface BreakerOptions {
  readonly errorPercent: number;
  readonly minCalls: number;
  readonly windowMs: number;
  /** The pause before the next probe, in milliseconds. `failedProbes` and `downMs` count from when the breaker opened. */
  readonly probePauseMs: (failedProbes: number, downMs: number) => number;
  readonly onChange: (state: BreakerState) => void;
}

export interface Breaker {
  readonly state: BreakerState;
  /** A call succeeded. Closes the breaker if it is half-open; the promise resolves when it has. Undefined while it is closed. */
  recordSuccess(): Promise<void> | undefined;
  /** A call failed by the target's fault. Resolves when `state` reflects it. */
  recordFailure(): Promise<void>;
  /** A call succeeded but took too long. It counts as a failure, although the event was delivered. */
  recordSlowCall(): Promise<void>;
  shutdown(): void;
}

const windowBuckets = 10;

class TargetFailure extends Error {}

/** Our own failure, or opossum's refusal of a result while it is open or shut down: such a result does not count anyway. */
const isExpectedRejection = (error: unknown): boolean =>
  error instanceof TargetFailure || (error instanceof Error && CircuitBreaker.isOurError(error));

const failUnlessOk = async (ok: boolean): Promise<void> => {
  if (!ok) throw new TargetFailure();
};

/** Rotates opossum's rolling window, and can clear it. opossum itself only lets the window expire. */
const createWindowRotator = (windowMs: number) => {
  const rotator = new EventEmitter();
  const timer = setInterval(() => rotator.emit("rotate"), windowMs / windowBuckets).unref();
  return {
    rotator,
    clearWindow: () => {
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
  // opossum opens above this percentage, our contract is to open at it.
  errorThresholdPercentage: errorPercent - 0.001,
  volumeThreshold: minCalls,
  rollingCountTimeout: windowMs,
  rollingCountBuckets: windowBuckets,
  rotateBucketController: rotator,
  rollingPercentilesEnabled: false,
  enableSnapshots: false,
  resetTimeout: probePauseMs(0, 0),
});

/** Failures in a row within one window. */
const createConsecutiveFailures = ({ minCalls, windowMs }: BreakerOptions) => {
  let count = 0;
  let since = 0;
  return {
    get isLongSeries() {
      return count >= minCalls;
    },
    add: (): void => {
      const now = performance.now();
      if (count === 0 || now - since > windowMs) [count, since] = [0, now];
      count++;
    },
    reset: () => {
      count = 0;
    },
  };
};

/** An opossum circuit that pauses longer after each failed probe, and clears its window when it closes. */
const createCircuit = (options: BreakerOptions, onOpen: () => void) => {
  let failedProbes = 0;
  let downSince = 0;
  const { rotator, clearWindow, stop } = createWindowRotator(options.windowMs);
  // opossum keeps this object and reads `resetTimeout` whenever it opens, so a change of it sets the next pause.
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
    // The failures that opened the breaker would open it again with the next failure.
    clearWindow();
    options.onChange("closed");
  });
  return { circuit, stop };
};

/**
 * The circuit breaker, by opossum (https://github.com/nodeshift/opossum). opossum provides the states, the rolling window, the
 * error percentage, the least number of calls and the timer before a probe. It does not run the calls: each result is
 * recorded when the call has ended. What must not count is not recorded: 4xx, 429, stale results and the repetitions of one
 * round. Bypassed, with the reason (docs/decisions/0003):
 * - `errorFilter`: an error that it accepts counts as a success and closes a half-open circuit.
 * - `timeout`, `abortController`, `capacity`: all calls share one controller, and a call too many counts as a failure.
 * - `fire()` for a success while closed: it costs ten times as much as its `fire` event, at every delivery.
 * - `fire()` for a failed probe: it opens the circuit a moment later, and a second probe could start meanwhile.
 * - the window's own timer: it cannot clear the window.
 * - a constant `resetTimeout`: the pause before a probe has to grow.
 * Added: `minCalls` failures in a row open the breaker. After many successful calls the percentage alone would see an outage
 * only when those have left the window.
 */
export const createBreaker = (options: BreakerOptions): Breaker => {
  const failures = createConsecutiveFailures(options);
  const { circuit, stop } = createCircuit(options, failures.reset);
  const fire = (ok: boolean): Promise<void> =>
    circuit.fire(ok).catch((error: unknown) => {
      if (!isExpectedRejection(error)) throw error;
    });
  const fireFailure = async (): Promise<void> => {
    if (circuit.halfOpen) circuit.open();
    else await fire(false);
  };
  return {
    get state() {
      if (circuit.closed) return "closed";
      return circuit.halfOpen ? "half-open" : "open";
    },
    recordSuccess: () => {
      failures.reset();
      if (!circuit.closed) return fire(true);
      // opossum's percentage is that of failures among `fire` events.
      circuit.emit("fire");
      return undefined;
    },
    recordFailure: async () => {
      failures.add();
      // Before opossum takes the failure: its `open` event resets the series.
      const { isLongSeries } = failures;
      await fireFailure();
      if (isLongSeries) circuit.open();
    },
    // Slow calls neither extend a series nor end it: they use no attempts, so there is time to wait for the percentage.
    recordSlowCall: fireFailure,
    shutdown: () => {
      stop();
      circuit.shutdown();
    },
  };
};
