import type { ClusterAdmin } from "../kafka/admin.ts";
import { type TopicPartition, partitionKey } from "../kafka/topic-partition.ts";
import type { KnownLogs } from "./known-logs.ts";
import type { LogReset } from "./log-resets.ts";
import { type OwnedPartition } from "./owned-partition.ts";
import {
  type StartOffset,
  type StartFrom,
  type PartitionLog,
  resetCauseOf,
  planStartOffset,
} from "./plan-start-offset.ts";

export interface StartOffsetsOptions {
  readonly admin: Pick<ClusterAdmin, "committedOffsets" | "logRanges" | "topicStates">;
  readonly groupId: string;
  readonly startFrom: StartFrom;
  readonly knownLogs: KnownLogs;
}

export interface StartOffsets {
  /** By partition key. */
  readonly byPartition: ReadonlyMap<string, StartOffset>;
  /** The logs that are not the ones that the group, or this member, has read. */
  readonly resets: readonly LogReset[];
}

/** START_FROM is `fail`, and a partition has no valid committed offset: an operator has to decide where to start. */
export class StartRefusedError extends Error {}

const byKey = <T extends TopicPartition>(entries: readonly T[]): Map<string, T> =>
  new Map(entries.map((entry) => [partitionKey(entry), entry]));

/**
 * Throws if the cluster's answer lacks a partition. Without this check the partition would count as new, and a whole log be
 * lost or repeated.
 */
const requireEntry = <T>(entriesByKey: ReadonlyMap<string, T>, key: string): T => {
  const entry = entriesByKey.get(key);
  if (entry === undefined) throw new Error(`Kafka's answer does not contain partition ${key}`);
  return entry;
};

/**
 * The suspicion that a second answer has to confirm; undefined if there is none. A truncation that this member has seen
 * itself is certain.
 */
const suspicionKeyOf = (log: PartitionLog): string | undefined => {
  const cause = resetCauseOf(log);
  if (cause === "made_anew") return `${cause} ${log.topicId}`;
  return cause === "truncated" && !log.knownLog?.isTruncated ? cause : undefined;
};

const isDoubtful = (log: PartitionLog, knownLogs: KnownLogs): boolean => {
  const suspicion = suspicionKeyOf(log);
  return suspicion !== undefined && !knownLogs.isSuspicionConfirmed(log.range, suspicion);
};

/** Throws if a log seems to be recreated or truncated, and the answer before did not say the same. The caller asks again. */
const confirmSuspicions = (logs: readonly PartitionLog[], knownLogs: KnownLogs): void => {
  const doubtful = logs.filter((log) => isDoubtful(log, knownLogs));
  for (const log of logs) knownLogs.recordSuspicion(log.range, suspicionKeyOf(log));
  const descriptions = doubtful.map((log) => `${partitionKey(log.range)} (${resetCauseOf(log)})`);
  if (descriptions.length > 0)
    throw new Error(`These logs seem to have been replaced; asking Kafka once more: ${descriptions.join(", ")}`);
};

/** Asks the cluster for everything that the start of these partitions depends on. */
const readPartitionLogs = async (
  ownedPartitions: readonly OwnedPartition[],
  { admin, groupId, knownLogs }: StartOffsetsOptions,
): Promise<(PartitionLog & { owned: OwnedPartition })[]> => {
  const topics = [...new Set(ownedPartitions.map(({ topic }) => topic))];
  const ids = new Map((await admin.topicStates(topics)).map(({ topic, id }) => [topic, id]));
  const commits = await admin.committedOffsets(groupId, topics);
  const ranges = byKey(await admin.logRanges(topics));
  const committed = byKey(commits);
  return ownedPartitions.map((owned): PartitionLog & { owned: OwnedPartition } => ({
    owned,
    range: requireEntry(ranges, partitionKey(owned)),
    committed: requireEntry(committed, partitionKey(owned)),
    isRetryTopic: owned.tier !== undefined,
    topicId: ids.get(owned.topic),
    knownLog: knownLogs.get(owned),
    hasCommits: commits.some(({ topic, offset }) => topic === owned.topic && offset !== undefined),
  }));
};

/** An owned partition, everything that its start depends on, and the decision. */
interface PlannedStart {
  readonly owned: OwnedPartition;
  readonly log: PartitionLog;
  readonly start: ReturnType<typeof planStartOffset>;
}

const logResetOf = ({ owned: { topic, partition }, log, start }: PlannedStart): LogReset | undefined => {
  if (typeof start === "string" || start.cause === undefined) return undefined;
  const oldOffset = Math.max(log.committed.offset ?? 0, log.knownLog?.position ?? 0);
  return { topic, partition, cause: start.cause, oldOffset, newOffset: start.offset };
};

/** Throws if START_FROM is `fail` and a partition has no valid committed offset. */
const throwIfRefused = (planned: readonly PlannedStart[]): void => {
  const outside = planned.flatMap(({ owned, log: { range, committed }, start }) =>
    start === "outside"
      ? [`${partitionKey(owned)} (committed ${committed.offset}, log ${range.beginningOffset} to ${range.endOffset})`]
      : [],
  );
  if (outside.length > 0)
    throw new StartRefusedError(
      `The committed offset is outside the log of ${outside.join(", ")}, and START_FROM is fail: ` +
        "reset the group's offsets, or set START_FROM to earliest or latest",
    );
  const uncommitted = planned.flatMap(({ owned, start }) => (start === "uncommitted" ? [partitionKey(owned)] : []));
  if (uncommitted.length > 0)
    throw new StartRefusedError(
      `The group has no committed offset for ${uncommitted.join(", ")}, and START_FROM is fail: ` +
        "set START_FROM to earliest or latest for the first start",
    );
};

/**
 * Asks the cluster where these partitions start. Rejects with `StartRefusedError` if an operator has to decide, and with
 * another error if the caller should ask again.
 */
export const readStartOffsets = async (
  ownedPartitions: readonly OwnedPartition[],
  options: StartOffsetsOptions,
): Promise<StartOffsets> => {
  const logs = await readPartitionLogs(ownedPartitions, options);
  confirmSuspicions(logs, options.knownLogs);
  const planned = logs.map(({ owned, ...log }) => ({ owned, log, start: planStartOffset(log, options.startFrom) }));
  throwIfRefused(planned);
  const starts = planned.flatMap(({ owned, start }) =>
    typeof start === "string" ? [] : [[partitionKey(owned), start] as const],
  );
  return { byPartition: new Map(starts), resets: planned.flatMap((plan) => logResetOf(plan) ?? []) };
};
