import { KeyQueues } from "../ordering/key-queues.ts";
import type { OpenPartition, WorkItem } from "./work-item.ts";

/**
 * The events in flight between one join of the group and the next. Each join starts a new assignment from the committed
 * offsets. Results of an old assignment are ignored: they must not move the offsets of a partition that has another owner.
 */
export interface Assignment {
  /** False once the group joins again. */
  isCurrentGeneration: boolean;
  readonly queues: KeyQueues<WorkItem>;
}

export const createAssignment = (): Assignment => ({ isCurrentGeneration: true, queues: new KeyQueues() });

/** The key of the queue that holds a user's events from the source topics. */
export const sourceQueueKeyOf = ({ partition }: OpenPartition, user: string): string => `${partition}/${user}`;

/** A user's events from the retry topics have a queue of their own, so that neither queue waits for the other. */
export const queueKeyOf = (owned: OpenPartition, user: string): string =>
  owned.tier === undefined ? sourceQueueKeyOf(owned, user) : `tier ${sourceQueueKeyOf(owned, user)}`;
