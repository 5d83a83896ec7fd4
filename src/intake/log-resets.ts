import type { TopicPartition } from "../kafka/topic-partition.ts";

/**
 * Why a log is not the one that was read. `made_anew`: the topic was deleted and recreated with the same name. `truncated`:
 * the log lost its last records, for example after an unclean leader election. `removed`: retention removed records before
 * they were read.
 */
export type ResetCause = "made_anew" | "truncated" | "removed";

/** A partition does not continue at the offset that it had reached. */
export interface LogReset extends TopicPartition {
  readonly cause: ResetCause;
  /** The offset that would have been read next, and the one that is read instead. */
  readonly oldOffset: number;
  readonly newOffset: number;
}

/** The message of the log line, by cause. The log line has the fields of `LogReset`. */
export const resetMessages: Readonly<Record<ResetCause, string>> = {
  made_anew: "The topic was deleted and recreated; its old records are lost, and reading restarts at newOffset",
  truncated: "The log lost records that had been read already; reading restarts at newOffset",
  removed: "Kafka's retention removed records before they were delivered",
};
