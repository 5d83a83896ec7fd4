import type { CallCounts, CallLog } from "./calls.ts";
import type { Ledger, LedgerCounts } from "./ledger.ts";

export type Stats = CallCounts & Omit<LedgerCounts, "withoutMessageId">;

/** What arrived so far, in one small object. */
export const statsOf = (callLog: CallLog, ledger: Ledger): Stats => {
  const { distinct, duplicates, inversions } = ledger.report();
  return { ...callLog.counts(), distinct, duplicates, inversions };
};
