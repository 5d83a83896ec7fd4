import type { ParsedRecord } from "../core/parsed-record.ts";
import type { RetryBacklog } from "../ordering/retry-backlog.ts";
import { type Assignment, queueKeyOf } from "./assignment.ts";
import type { Work } from "./step.ts";
import type { OpenPartition, WorkItem } from "./work-item.ts";

/** Events of one user that may stay in memory while other users need the memory. */
const maxQueuedPerUser = 500;
const largeRecordBytes = 8 * 1024;

/**
 * Records that may wait in the retry topics. The member keeps the backlog of all of them in memory; `npm run bench -- parked`
 * measures the bytes of each.
 */
const maxBacklogRecords = { perUser: 10_000, perPartitionNumber: 50_000, total: 60_000 };

/** A paused partition resumes below this share of the limit, so that it does not pause again at once. */
const resumeFraction = { queued: 0.5, backlog: 0.9 };

/** Events parked by the dead-letter limit may use this share of the backlog. The rest is for users whose events fail. */
const limitParkedShare = 0.5;

/** Whether there is capacity again. */
export type CapacityCheck = () => boolean;

/**
 * Whether one of the users has reached a limit. In a retry topic that is the limit of events in memory, since these cannot
 * spill. In a source topic that is the limit of the retry backlog. Returns undefined if no limit is reached; otherwise
 * a check that returns true once there is capacity again.
 */
export const hotKeyWaitFor = (
  assignment: Assignment,
  owned: OpenPartition,
  parsedRecords: readonly ParsedRecord[],
): CapacityCheck | undefined => {
  for (const { user } of parsedRecords) {
    const limitCheck = hotKeyWaitForUser(assignment, owned, user);
    if (limitCheck) return limitCheck;
  }
  return undefined;
};

const hotKeyWaitForUser = ({ queues }: Assignment, owned: OpenPartition, user: string): CapacityCheck | undefined => {
  const { tier, backlog } = owned;
  if (tier !== undefined) {
    const key = queueKeyOf(owned, user);
    return queues.lengthOf(key) < maxQueuedPerUser
      ? undefined
      : () => queues.lengthOf(key) <= maxQueuedPerUser * resumeFraction.queued;
  }
  if (backlog.recordCount === 0) return undefined;
  const isBelowLimit = (fraction: number): boolean =>
    backlog.lengthOf(user) < maxBacklogRecords.perUser * fraction && hasBacklogCapacity(backlog, fraction);
  // A user without records in the retry topics never waits.
  const hasCapacity = (fraction: number): boolean => backlog.lengthOf(user) === 0 || isBelowLimit(fraction);
  return hasCapacity(1) ? undefined : () => hasCapacity(resumeFraction.backlog);
};

/**
 * Whether a source partition must wait because the dead-letter limit parks events of its topic and the backlog has no capacity
 * for more of them. The limit per user does not help here: each event may have another user. Returns undefined if
 * the partition need not wait; otherwise a check that returns true once it may continue.
 */
export const deadLetterLimitWaitFor = (
  { tier, topic, backlog }: OpenPartition,
  isTopicHeld: (topic: string) => boolean,
): CapacityCheck | undefined => {
  if (tier !== undefined || hasBacklogCapacity(backlog, limitParkedShare) || !isTopicHeld(topic)) return undefined;
  return () => hasBacklogCapacity(backlog, limitParkedShare * resumeFraction.backlog) || !isTopicHeld(topic);
};

const hasBacklogCapacity = ({ recordCount, totalRecordCount }: RetryBacklog, fraction: number): boolean =>
  recordCount < maxBacklogRecords.perPartitionNumber * fraction &&
  totalRecordCount < maxBacklogRecords.total * fraction;

interface SpillCauses {
  /** Partitions whose in-flight window is full: they read nothing before their oldest event is completed. */
  readonly blockedPartitions: readonly OpenPartition[];
  /** Whether the memory budget keeps records from being read. */
  readonly isMemoryShort: boolean;
}

/** A large record counts as several. */
const weightOf = ({ bytes, sharedBytes }: WorkItem): number => Math.max(1, (bytes + sharedBytes) / largeRecordBytes);

/** Marks what must spill: the queues of users with too many events, and the events that block a partition. */
export const markForSpill = ({ queues }: Assignment, { blockedPartitions, isMemoryShort }: SpillCauses): void => {
  if (isMemoryShort) for (const queue of queues.queuesHeavierThan(maxQueuedPerUser, weightOf)) queue.mustSpill = true;
  for (const owned of blockedPartitions) {
    const { committableOffset } = owned.tracker;
    const oldest = queues.findItem((item) => item.owned === owned && item.entry.offset === committableOffset);
    if (oldest) oldest.mustSpill = true;
  }
};

/** Whether the head goes to the first retry topic, so that other users or its partition can continue. */
export const mustSpill = ({ mustSpill: isHotKey, head }: Work["queue"]): boolean =>
  (isHotKey || head.mustSpill) && head.owned.tier === undefined;
