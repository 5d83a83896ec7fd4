import { type ResultFalse, codeFamilyOf } from "../core/outcome/result-false.ts";
import type { Log } from "./log.ts";
import type { Metrics } from "./metrics.ts";

export interface ResultFalseReportOptions {
  readonly log: Pick<Log, "warn">;
  readonly metrics: Pick<Metrics, "recordResultFalse">;
  /** Calls back after so many milliseconds. */
  readonly schedule: (delayMs: number, callback: () => void) => void;
}

type ResultFalseAnswer = ResultFalse & { readonly status: number };

const reportEveryMs = 3_600_000;

const reportText =
  "Gainsight answers with result: false; the setting failOnResultFalse says what becomes of these events";

/** Counts answers that say `result: false`. The first one is logged at once, the others once an hour with the newest of them. */
export const createResultFalseReport = ({
  log,
  metrics,
  schedule,
}: ResultFalseReportOptions): ((answer: ResultFalseAnswer) => void) => {
  let count = 0;
  let latest: ResultFalseAnswer | undefined;
  let isReportDue = false;
  const report = (): void => {
    isReportDue = count > 0;
    if (!isReportDue) return;
    log.warn({ count, ...latest }, reportText);
    count = 0;
    schedule(reportEveryMs, report);
  };
  return (answer) => {
    metrics.recordResultFalse(codeFamilyOf(answer.code));
    count++;
    latest = answer;
    if (!isReportDue) report();
  };
};
