import { ConcurrencyLimit } from "../../src/delivery/concurrency-limit.ts";

export interface SimulatedTarget {
  /** When a call that arrives now ends. All times are in milliseconds. */
  readonly answerAt: (now: number) => number;
}

/** One server with a queue: it takes so many calls a second, and each takes `baseMs` more. */
export const createQueue = ({ callsPerSecond = 1_000, baseMs = 20 }): SimulatedTarget => {
  let freeAt = 0;
  return {
    answerAt: (now) => {
      freeAt = Math.max(now, freeAt) + 1_000 / callsPerSecond;
      return freeAt + baseMs;
    },
  };
};

/** Takes `latencyMs` at any load. */
export const createSteady = (latencyMs: (now: number) => number): SimulatedTarget => ({
  answerAt: (now) => now + latencyMs(now),
});

export interface Sample {
  /** How many calls ended within the last second. */
  readonly calls: number;
  readonly limit: number;
  readonly meanMs: number;
}

/** Keeps as many calls in flight as the limit allows, for so many seconds; takes one sample a second. */
export const simulate = ({
  limiter = new ConcurrencyLimit({ max: 64, timeoutMs: 10_000 }),
  target,
  seconds,
}: {
  limiter?: ConcurrencyLimit;
  target: SimulatedTarget;
  seconds: number;
}): Sample[] => {
  const inFlight: { startedAt: number; endsAt: number }[] = [];
  const samples: Sample[] = [];
  let [now, calls, sumMs] = [0, 0, 0];
  for (let second = 1; second <= seconds; second++) {
    for (;;) {
      while (inFlight.length < limiter.limit) {
        const call = { startedAt: now, endsAt: target.answerAt(now) };
        const after = inFlight.findLastIndex(({ endsAt }) => endsAt <= call.endsAt);
        inFlight.splice(after + 1, 0, call);
      }
      const next = inFlight[0];
      if (!next || next.endsAt > second * 1_000) break;
      inFlight.shift();
      now = next.endsAt;
      calls++;
      sumMs += now - next.startedAt;
      limiter.recordSuccess(now - next.startedAt);
    }
    samples.push({ calls, limit: limiter.limit, meanMs: sumMs / calls });
    [calls, sumMs] = [0, 0];
  }
  return samples;
};
