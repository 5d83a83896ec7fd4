import { eventKeyOf } from "../core/outcome/headers.ts";
import type { BacklogCheck } from "../ordering/retry-backlog.ts";
import type { RetryPosition } from "../ordering/scanned-records.ts";
import { type Assignment, sourceQueueKeyOf } from "./assignment.ts";
import type { StepResult, Work } from "./step.ts";
import type { WorkItem } from "./work-item.ts";

/** A record of a retry topic that waits for the source queue is checked again after this time. */
const recheckMs = 200;

const mayDeliver: BacklogCheck = { kind: "deliver" };

const positionOf = ({ owned: { tier }, entry }: WorkItem): RetryPosition | undefined =>
  tier === undefined ? undefined : { tier, offset: entry.offset };

/** The usual case: nobody waits in the retry topics. Then the event key is not needed, and computing it costs time. */
const hasNoBacklog = ({ owned }: WorkItem): boolean => owned.tier === undefined && owned.backlog.isUntouched;

/** Whether an event is delivered, follows its user to a retry topic, or is an outdated copy. Changes nothing. */
export const checkBacklog = (item: WorkItem): BacklogCheck => {
  if (hasNoBacklog(item)) return mayDeliver;
  const { owned, parsed } = item;
  return owned.backlog.check(parsed.user, eventKeyOf(parsed.retryState.source), positionOf(item));
};

/**
 * Adds a record of a retry topic to the backlog if the backlog does not know the record: an operator wrote it, an earlier
 * owner's write arrived late, or its user was unknown until its schema arrived. It becomes the last event of its user.
 */
const adoptUnknown = (item: WorkItem): void => {
  const { owned, parsed } = item;
  const position = positionOf(item);
  if (position) owned.backlog.adopt(parsed.user, eventKeyOf(parsed.retryState.source), position);
};

/**
 * A user has one queue for the source topics and one for the retry topics, and only one of them may make calls. A record of
 * a retry topic waits while the head of the source queue is in work: that head may be writing this very record.
 */
export const mustWaitForSourceQueue = ({ queues }: Assignment, { owned, parsed }: WorkItem): boolean => {
  if (owned.tier === undefined || owned.backlog.has(parsed.user, eventKeyOf(parsed.retryState.source))) return false;
  return queues.isBusy(sourceQueueKeyOf(owned, parsed.user));
};

/** Returns undefined if it is the event's turn: no earlier event of its user waits in a retry topic. */
export const awaitTurn = ({ assignment, queue: { head } }: Work): StepResult | undefined => {
  if (hasNoBacklog(head)) return undefined;
  if (mustWaitForSourceQueue(assignment, head)) return { kind: "wait", ms: recheckMs };
  const check = checkBacklog(head);
  if (check.kind === "superseded") return check;
  adoptUnknown(head);
  return check.kind === "forward" ? { kind: "follow", tier: check.tier } : undefined;
};
