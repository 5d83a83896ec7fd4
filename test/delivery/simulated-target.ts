import { Ramp } from "../../src/delivery/slow-start.ts";

export interface SimulatedTarget {
  /** When a call that comes now is answered; in milliseconds, as is everything here. */
  readonly answerAt: (now: number) => number;
}

/** A queue before one server: so many calls a second, each after `baseMs` more. */
export const createQueue = ({ callsPerSecond = 1_000, baseMs = 20 }): SimulatedTarget => {
  let freeAt = 0;
  return {
    answerAt: (now) => {
      freeAt = Math.max(now, freeAt) + 1_000 / callsPerSecond;
      return freeAt + baseMs;
    },
  };
};

/** Takes as long as it says, whatever the load. */
export const createSteady = (latencyMs: (now: number) => number): SimulatedTarget => ({
  answerAt: (now) => now + latencyMs(now),
});

export interface Sample {
  /** Calls that ended in the second before. */
  readonly calls: number;
  readonly limit: number;
  readonly meanMs: number;
}

/** Calls as many at a time as the ramp lets go, for so many seconds; a sample for each. */
export const simulate = ({
  ramp = new Ramp({ max: 64, timeoutMs: 10_000 }),
  target,
  seconds,
}: {
  ramp?: Ramp;
  target: SimulatedTarget;
  seconds: number;
}): Sample[] => {
  const flying: { startedAt: number; endsAt: number }[] = [];
  const samples: Sample[] = [];
  let [now, calls, sumMs] = [0, 0, 0];
  for (let second = 1; second <= seconds; second++) {
    for (;;) {
      while (flying.length < ramp.limit) {
        const call = { startedAt: now, endsAt: target.answerAt(now) };
        const after = flying.findLastIndex(({ endsAt }) => endsAt <= call.endsAt);
        flying.splice(after + 1, 0, call);
      }
      const next = flying[0];
      if (!next || next.endsAt > second * 1_000) break;
      flying.shift();
      now = next.endsAt;
      calls++;
      sumMs += now - next.startedAt;
      ramp.succeeded(now - next.startedAt);
    }
    samples.push({ calls, limit: ramp.limit, meanMs: sumMs / calls });
    [calls, sumMs] = [0, 0];
  }
  return samples;
};
