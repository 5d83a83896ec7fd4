import type { FaultRun } from "./context.ts";
import type { Ledger } from "./ledger.ts";

/** How fast delivery recovered, in milliseconds after the end of the fault (after its start for kill -9). */
export interface Recovery {
  readonly faultRun: FaultRun;
  /** Until half of the former rate was reached; undefined if it never was. */
  readonly halfRateMs: number | undefined;
  /** Until the last event that arrived more than 3 s after its production, before the next fault. */
  readonly caughtUpMs: number;
}

const baselineMs = 5_000;
const rateWindowMs = 500;
const lateMs = 3_000;

/**
 * Milliseconds from `from` until the target accepted half of `rate` (events per second) over half a second; undefined if it
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

/** When late events arrived, without those of users whose calls failed. */
const lateTimes = ({ entries }: Ledger, isUnlucky: (user: string) => boolean): number[] =>
  [...entries.values()].flatMap(({ user, producedAt, first }) =>
    first && first.at - producedAt > lateMs && !isUnlucky(user) ? [first.at] : [],
  );

/** The recovery after each fault of the main track. `faults` are in order. */
export const recoveriesOf = (
  faults: readonly FaultRun[],
  { ledger, isUnlucky, rate }: { ledger: Ledger; isUnlucky: (user: string) => boolean; rate: number },
): Recovery[] => {
  const late = lateTimes(ledger, isUnlucky);
  const { firstAcceptedAt } = ledger;
  return faults.map((faultRun, index) => {
    const { kind, startedAt, endedAt } = faultRun;
    const from = kind === "kill" ? startedAt : endedAt;
    const until = faults[index + 1]?.startedAt ?? Number.POSITIVE_INFINITY;
    const earlier = firstAcceptedAt.filter((time) => time >= startedAt - baselineMs && time < startedAt).length;
    const last = late.reduce((latest, at) => (at < until ? Math.max(latest, at) : latest), from);
    return {
      faultRun,
      halfRateMs: halfRateMs(firstAcceptedAt, { from, rate: Math.min(rate, (earlier * 1_000) / baselineMs) }),
      caughtUpMs: last - from,
    };
  });
};
