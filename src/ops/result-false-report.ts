import { type ResultFalse, familyOf } from "../core/outcome/result-false.ts";
import type { Log } from "./log.ts";
import type { Metrics } from "./metrics.ts";

export interface ResultFalseReportOptions {
  readonly log: Pick<Log, "warn">;
  readonly metrics: Pick<Metrics, "resultFalse">;
  /** Calls back after so many milliseconds. */
  readonly schedule: (delayMs: number, callback: () => void) => void;
}

type Seen = ResultFalse & { readonly status: number };

const hourMs = 3_600_000;

const text = "Gainsight answers with result: false; the setting failOnResultFalse says what becomes of these events";

/** Counts answers that say `result: false`. The first one is logged at once, the others once an hour with the newest of them. */
export const createResultFalseReport = ({
  log,
  metrics,
  schedule,
}: ResultFalseReportOptions): ((seen: Seen) => void) => {
  let count = 0;
  let newest: Seen | undefined;
  let isWaiting = false;
  const tell = (): void => {
    isWaiting = count > 0;
    if (!isWaiting) return;
    log.warn({ count, ...newest }, text);
    count = 0;
    schedule(hourMs, tell);
  };
  return (seen) => {
    metrics.resultFalse(familyOf(seen.code));
    count++;
    newest = seen;
    if (!isWaiting) tell();
  };
};
