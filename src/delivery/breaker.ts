import CircuitBreaker from "opossum";

export type BreakerState = "closed" | "half-open" | "open";

export interface BreakerOptions {
  readonly errorPercent: number;
  readonly minCalls: number;
  readonly windowMs: number;
  /** The pause before the next probe, in milliseconds; `failedProbes` counts those since the breaker opened. */
  readonly pauseMs: (failedProbes: number) => number;
  readonly onChange: (state: BreakerState) => void;
}

export interface Breaker {
  readonly state: BreakerState;
  /** Tells the breaker of a call that went well. Closes it where it is half open. */
  succeeded(): Promise<void>;
  /** Tells the breaker of a call that failed by the target's fault; resolves when the state has taken it in. */
  failed(): Promise<void>;
  shutdown(): void;
}

class TargetFailure extends Error {}

const judge = async (ok: boolean): Promise<void> => {
  if (!ok) throw new TargetFailure();
};

/**
 * Opossum as the judge of the target's health. Each call's result is told to it once it is known, instead of running the
 * call inside: what must not count (4xx, 429, late results, repetitions of one round) is simply not told, so that none of
 * opossum's traps can spring (`errorFilter` counts as success, late results change the state, a shared abort controller).
 */
export const createBreaker = (options: BreakerOptions): Breaker => {
  let failedProbes = 0;
  // Opossum keeps this very object and reads `resetTimeout` at each opening: that is how the pause grows.
  const settings = {
    timeout: false as const,
    // Opossum opens above the limit, our contract says at it.
    errorThresholdPercentage: options.errorPercent - 0.001,
    volumeThreshold: options.minCalls,
    rollingCountTimeout: options.windowMs,
    rollingPercentilesEnabled: false,
    enableSnapshots: false,
    resetTimeout: options.pauseMs(0),
  };
  const circuit = new CircuitBreaker(judge, settings);
  const state = (): BreakerState => (circuit.closed ? "closed" : circuit.halfOpen ? "half-open" : "open");
  circuit.on("halfOpen", () => {
    failedProbes++;
    settings.resetTimeout = options.pauseMs(failedProbes);
    options.onChange("half-open");
  });
  circuit.on("open", () => options.onChange("open"));
  circuit.on("close", () => {
    failedProbes = 0;
    settings.resetTimeout = options.pauseMs(0);
    options.onChange("closed");
  });
  return {
    get state() {
      return state();
    },
    succeeded: () => circuit.fire(true),
    failed: () =>
      circuit.fire(false).catch((error: unknown) => {
        if (!(error instanceof TargetFailure)) throw error;
      }),
    shutdown: () => circuit.shutdown(),
  };
};
