import { KeyQueues } from "../ordering/key-queues.ts";
import type { OpenPartition, WorkItem } from "./work-item.ts";

/**
 * Everything that one join of the group has brought. The next join begins a new one from the committed offsets, and nothing
 * of the old one counts any more: that keeps late results from moving the offsets of another owner.
 */
export interface Assignment {
  isCurrentGeneration: boolean;
  readonly queues: KeyQueues<WorkItem>;
}

export const createAssignment = (): Assignment => ({ isCurrentGeneration: true, queues: new KeyQueues() });

/** The queue of a user's records from the source topics. */
export const sourceQueueKeyOf = ({ partition }: OpenPartition, user: string): string => `${partition}/${user}`;

/** Records from the retry topics have a queue of their own, so that neither queue waits for the other. */
export const queueKeyOf = (owned: OpenPartition, user: string): string =>
  owned.tier === undefined ? sourceQueueKeyOf(owned, user) : `tier ${sourceQueueKeyOf(owned, user)}`;
