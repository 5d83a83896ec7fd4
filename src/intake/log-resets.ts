import type { TopicPartition } from "../kafka/topic-partition.ts";

/**
 * Why a log is not the one that we knew: a topic of the same name was made anew; its end was cut off, as after an unclean election
 * of its leader; or retention removed what was to be read next.
 */
export type ResetCause = "made_anew" | "truncated" | "removed";

/** A partition does not go on where it was. */
export interface LogReset extends TopicPartition {
  readonly cause: ResetCause;
  /** What was to be read next, and what will be. */
  readonly oldOffset: number;
  readonly newOffset: number;
}

/** For the log. */
export const resetMessages: Readonly<Record<ResetCause, string>> = {
  made_anew: "The topic was deleted and made anew: its old records are gone, and reading begins again",
  truncated: "The log ends before what was read already: its last records are gone, and reading begins again",
  removed: "Kafka's retention removed records before they were delivered",
};
