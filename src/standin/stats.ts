import type { CallCounts, CallLog } from "./call-log.ts";
import type { Ledger, LedgerCounts } from "./ledger.ts";

export type Stats = CallCounts & Omit<LedgerCounts, "withoutMessageId">;

/** The counts of the call log and of the ledger in one object. */
export const statsOf = (callLog: CallLog, ledger: Ledger): Stats => {
  const { distinct, duplicates, inversions } = ledger.report();
  return { ...callLog.counts(), distinct, duplicates, inversions };
};
