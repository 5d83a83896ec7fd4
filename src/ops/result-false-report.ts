import { type ResultFalse, codeFamilyOf } from "../core/outcome/result-false.ts";
import type { Log } from "./log.ts";
import type { Metrics } from "./metrics.ts";

export interface ResultFalseReportOptions {
  readonly log: Pick<Log, "warn">;
  readonly metrics: Pick<Metrics, "recordResultFalse">;
  /** Calls back after `delayMs`. */
  readonly schedule: (delayMs: number, callback: () => void) => void;
}

type ResultFalseResponse = ResultFalse & { readonly status: number };

const reportEveryMs = 3_600_000;

const reportText =
  "Gainsight responds with result: false; the setting failOnResultFalse decides whether these events count as failed";

/** Counts responses that say `result: false`. Logs the first at once, then at most one line an hour with the newest of them. */
export const createResultFalseReport = ({
  log,
  metrics,
  schedule,
}: ResultFalseReportOptions): ((response: ResultFalseResponse) => void) => {
  let count = 0;
  let latest: ResultFalseResponse | undefined;
  let isScheduled = false;
  const report = (): void => {
    isScheduled = count > 0;
    if (!isScheduled) return;
    log.warn({ count, ...latest }, reportText);
    count = 0;
    schedule(reportEveryMs, report);
  };
  return (response) => {
    metrics.recordResultFalse(codeFamilyOf(response.code));
    count++;
    latest = response;
    if (!isScheduled) report();
  };
};
