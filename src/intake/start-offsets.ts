import type { ClusterAdmin } from "../kafka/admin.ts";
import { type TopicPartition, partitionKey } from "../kafka/topic-partition.ts";
import type { KnownLogs } from "./known-logs.ts";
import type { LogReset } from "./log-resets.ts";
import { type OwnedPartition } from "./owned-partition.ts";
import { type StartOffset, type StartFrom, type PartitionLog, resetCauseOf, planStartOffset } from "./plan-start.ts";

export interface StartOffsetsOptions {
  readonly admin: Pick<ClusterAdmin, "committedOffsets" | "logRanges" | "topicStates">;
  readonly groupId: string;
  readonly startFrom: StartFrom;
  readonly knownLogs: KnownLogs;
}

export interface StartOffsets {
  /** By partition. */
  readonly byPartition: ReadonlyMap<string, StartOffset>;
  /** The logs that are not those that the group or this member knew. */
  readonly resets: readonly LogReset[];
}

/** Where to start is not ours to decide, and the operator wants to be asked. */
export class StartRefusedError extends Error {}

const byKey = <T extends TopicPartition>(entries: readonly T[]): Map<string, T> =>
  new Map(entries.map((entry) => [partitionKey(entry), entry]));

/** An answer that lacks a partition is no word on it: taken for "nothing yet", it would lose or repeat a whole log. */
const requireEntry = <T>(entriesByKey: ReadonlyMap<string, T>, key: string): T => {
  const entry = entriesByKey.get(key);
  if (entry === undefined) throw new Error(`The cluster's answer lacks ${key}`);
  return entry;
};

/** What a single answer is not believed; undefined: nothing. What this member has seen itself is certain. */
const suspicionKeyOf = (log: PartitionLog): string | undefined => {
  const cause = resetCauseOf(log);
  if (cause === "made_anew") return `${cause} ${log.topicId}`;
  return cause === "truncated" && !log.knownLog?.isTruncated ? cause : undefined;
};

/** Asks once more where a topic seems to have been made anew, or a log to be cut off. */
const confirmSuspicions = (logs: readonly PartitionLog[], knownLogs: KnownLogs): void => {
  const checked = logs.map((log) => ({
    place: log,
    isSure: knownLogs.confirmsSuspicion(log.range, suspicionKeyOf(log)),
  }));
  const unconfirmed = checked.filter(({ place: log, isSure }) => !isSure && suspicionKeyOf(log) !== undefined);
  const descriptions = unconfirmed.map(({ place: log }) => `${partitionKey(log.range)} (${resetCauseOf(log)})`);
  if (descriptions.length > 0)
    throw new Error(`These logs seem not to be those that were read from: ${descriptions.join(", ")}`);
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
      `The group has no committed offset of ${uncommitted.join(", ")}, and START_FROM is fail: ` +
        "set START_FROM to earliest or latest for the first start",
    );
};

/** Asks the cluster where the given partitions start. Throws `StartRefused` with their names where that is wished. */
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
