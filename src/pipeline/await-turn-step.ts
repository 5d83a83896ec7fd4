import { eventKeyOf } from "../core/outcome/headers.ts";
import type { BacklogCheck } from "../ordering/retry-backlog.ts";
import type { RetryPosition } from "../ordering/scanned-records.ts";
import { type Assignment, sourceQueueKeyOf } from "./assignment.ts";
import type { StepResult, Work } from "./step.ts";
import type { WorkItem } from "./work-item.ts";

/** How long a record of a retry topic waits until it looks again whether its copy is written. */
const recheckMs = 200;

const mayDeliver: BacklogCheck = { kind: "deliver" };

const positionOf = ({ owned: { tier }, entry }: WorkItem): RetryPosition | undefined =>
  tier === undefined ? undefined : { tier, offset: entry.offset };

/** What the user's records in the retry topics say of an event: nothing of them is changed. */
export const checkBacklog = (item: WorkItem): BacklogCheck => {
  const { owned, parsed } = item;
  // As a rule nobody waits in the retry topics. Then the key of the event need not be made.
  if (owned.tier === undefined && owned.backlog.isUntouched) return mayDeliver;
  return owned.backlog.check(parsed.user, eventKeyOf(parsed.retryState.source), positionOf(item));
};

/**
 * A record of a retry topic that the backlog does not know: an operator wrote it, or a former owner whose write came late, or
 * its user was unknown until its schema came. It becomes the last of its user.
 */
const adoptUnknown = (item: WorkItem): void => {
  const { owned, parsed } = item;
  const position = positionOf(item);
  if (position) owned.backlog.adopt(parsed.user, eventKeyOf(parsed.retryState.source), position);
};

/**
 * A user has one queue for the source topics and one for the retry topics, and only one of them may make calls. A record of a
 * retry topic waits while the head of the other queue is in work: that may be writing the very copy.
 */
export const mustWaitForSourceQueue = ({ queues }: Assignment, { owned, parsed }: WorkItem): boolean => {
  if (owned.tier === undefined || owned.backlog.has(parsed.user, eventKeyOf(parsed.retryState.source))) return false;
  return queues.isBusy(sourceQueueKeyOf(owned, parsed.user));
};

/** Whether it is the event's turn: no earlier event of its user may wait in the retry topics. */
export const awaitTurn = ({ assignment, queue: { head } }: Work): StepResult | undefined => {
  if (mustWaitForSourceQueue(assignment, head)) return { kind: "pause", ms: recheckMs };
  const check = checkBacklog(head);
  if (check.kind === "superseded") return check;
  adoptUnknown(head);
  return check.kind === "forward" ? { kind: "follow", tier: check.tier } : undefined;
};
