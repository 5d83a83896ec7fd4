import type { Ledger } from "./ledger.ts";
import type { FaultRun } from "./scene.ts";

/** How soon the stream was as before, in milliseconds after the fault's end (after its start for a kill -9). */
export interface Recovery {
  readonly drilled: FaultRun;
  /** Until half of the rate before came again; undefined where it never did. */
  readonly halfRateMs: number | undefined;
  /** Until the last event that came more than 3 s after it was produced, up to the next fault. */
  readonly caughtUpMs: number;
}

const baselineMs = 5_000;
const rateWindowMs = 500;
const lateMs = 3_000;

/**
 * How long after `from` the target took half of `rate` events a second again, counted over half a second; undefined where it
 * never did. `times` are in order.
 */
export const halfRateMs = (
  times: readonly number[],
  { from, rate }: { from: number; rate: number },
): number | undefined => {
  const wanted = Math.max(1, Math.round((rate / 2) * (rateWindowMs / 1_000)));
  let index = times.findIndex((time) => time >= from);
  for (; index >= 0 && index + wanted <= times.length; index++) {
    const start = times[index] ?? 0;
    if ((times[index + wanted - 1] ?? 0) - start <= rateWindowMs) return start - from;
  }
  return undefined;
};

/** When events came late, though nothing was wrong with them. */
const lateTimes = ({ entries }: Ledger, isUnlucky: (user: string) => boolean): number[] =>
  [...entries.values()].flatMap(({ user, producedAt, first }) =>
    first && first.at - producedAt > lateMs && !isUnlucky(user) ? [first.at] : [],
  );

/** Looks at the faults of the main track, given in order. */
export const recoveriesOf = (
  faults: readonly FaultRun[],
  { ledger, isUnlucky, rate }: { ledger: Ledger; isUnlucky: (user: string) => boolean; rate: number },
): Recovery[] => {
  const late = lateTimes(ledger, isUnlucky);
  const { firstTimes } = ledger;
  return faults.map((drilled, index) => {
    const { kind, startedAt, endedAt } = drilled;
    const from = kind === "kill" ? startedAt : endedAt;
    const until = faults[index + 1]?.startedAt ?? Number.POSITIVE_INFINITY;
    const earlier = firstTimes.filter((time) => time >= startedAt - baselineMs && time < startedAt).length;
    const last = late.reduce((latest, at) => (at < until ? Math.max(latest, at) : latest), from);
    return {
      drilled,
      halfRateMs: halfRateMs(firstTimes, { from, rate: Math.min(rate, (earlier * 1_000) / baselineMs) }),
      caughtUpMs: last - from,
    };
  });
};
