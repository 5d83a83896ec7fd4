import type { CallCounts, Calls } from "./calls.ts";
import type { Ledger, LedgerCounts } from "./ledger.ts";

export type Stats = CallCounts & Omit<LedgerCounts, "withoutMessageId">;

/** What arrived so far, in one small object. */
export const reportStats = (calls: Calls, ledger: Ledger): Stats => {
  const { distinct, duplicates, inversions } = ledger.report();
  return { ...calls.counts(), distinct, duplicates, inversions };
};
