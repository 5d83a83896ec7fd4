import type { ParsedRecord } from "../core/parsed-record.ts";
import type { RetryBacklog } from "../ordering/retry-backlog.ts";
import { type Assignment, queueKeyOf } from "./assignment.ts";
import type { Work } from "./step.ts";
import type { OpenPartition, WorkItem } from "./work-item.ts";

/** Records of one user that may wait in memory while others need the room. */
const maxQueuedPerUser = 500;
const largeRecordBytes = 8 * 1024;

/**
 * Records that may wait in the tiers, of one user, of a partition number, and of all partition numbers of this member: their
 * chains are kept in memory. `npm run bench -- parked` tells how many bytes each takes.
 */
const maxBacklogRecords = { ofUser: 10_000, ofNumber: 50_000, ofAll: 60_000 };

/** How far a limit must be left before a partition goes on, so that it does not flutter. */
const resumeFraction = { held: 0.5, parked: 0.9 };

/** Events that wait for another limit of dead letters leave room in the tiers for users whose events fail. */
const limitParkedShare = 0.5;

/**
 * Whether as much of one of the arrivals' users waits as may: in memory for a tier, whose records cannot make way; in the
 * tiers for a source. Then it gives back how to ask whether there is room again.
 */
export const hotKeyWaitFor = (
  assignment: Assignment,
  owned: OpenPartition,
  parsedRecords: readonly ParsedRecord[],
): (() => boolean) | undefined => {
  for (const { user } of parsedRecords) {
    const hasCapacityAgain = hotKeyWaitForUser(assignment, owned, user);
    if (hasCapacityAgain) return hasCapacityAgain;
  }
  return undefined;
};

const hotKeyWaitForUser = ({ queues }: Assignment, owned: OpenPartition, user: string): (() => boolean) | undefined => {
  const { tier, backlog } = owned;
  if (tier !== undefined) {
    const key = queueKeyOf(owned, user);
    return queues.lengthOf(key) < maxQueuedPerUser
      ? undefined
      : () => queues.lengthOf(key) <= maxQueuedPerUser * resumeFraction.held;
  }
  if (backlog.recordCount === 0) return undefined;
  const isBelowLimit = (fraction: number): boolean =>
    backlog.lengthOf(user) < maxBacklogRecords.ofUser * fraction && hasBacklogCapacity(backlog, fraction);
  // A user with nobody in the tiers has nobody to wait for.
  const hasCapacity = (fraction: number): boolean => backlog.lengthOf(user) === 0 || isBelowLimit(fraction);
  return hasCapacity(1) ? undefined : () => hasCapacity(resumeFraction.parked);
};

/**
 * Whether events of this source go to the tiers to wait for another limit of dead letters, and enough records are there already: each
 * may be of a user of its own, so that nothing else bounds them. Then it gives back how to ask whether there is room again.
 */
export const deadLetterLimitWaitFor = (
  { tier, topic, backlog }: OpenPartition,
  isTopicHeld: (topic: string) => boolean,
): (() => boolean) | undefined => {
  if (tier !== undefined || hasBacklogCapacity(backlog, limitParkedShare) || !isTopicHeld(topic)) return undefined;
  return () => hasBacklogCapacity(backlog, limitParkedShare * resumeFraction.parked) || !isTopicHeld(topic);
};

const hasBacklogCapacity = ({ recordCount, totalRecordCount }: RetryBacklog, fraction: number): boolean =>
  recordCount < maxBacklogRecords.ofNumber * fraction && totalRecordCount < maxBacklogRecords.ofAll * fraction;

interface SpillCauses {
  /** Partitions that can go no further before their oldest event is finished. */
  readonly blockedPartitions: readonly OpenPartition[];
  /** No more can be taken up. */
  readonly isMemoryShort: boolean;
}

/** Large records count as several. */
const weightOf = ({ bytes, sharedBytes }: WorkItem): number => Math.max(1, (bytes + sharedBytes) / largeRecordBytes);

/** Marks who has to make way: users of whom too much waits, and events that block a partition. */
export const markForSpill = ({ queues }: Assignment, { blockedPartitions, isMemoryShort }: SpillCauses): void => {
  if (isMemoryShort) for (const queue of queues.queuesHeavierThan(maxQueuedPerUser, weightOf)) queue.mustSpill = true;
  for (const owned of blockedPartitions) {
    const { committableOffset } = owned.tracker;
    const oldest = queues.findItem((item) => item.owned === owned && item.entry.offset === committableOffset);
    if (oldest) oldest.mustSpill = true;
  }
};

/** Whether the head goes to the first retry topic, so that other users or its partition can go on. */
export const mustSpill = ({ mustSpill: isHotKey, head }: Work["queue"]): boolean =>
  (isHotKey || head.mustSpill) && head.owned.tier === undefined;
