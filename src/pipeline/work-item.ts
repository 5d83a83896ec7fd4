import { type SourcePosition, eventKeyOf, recordKeyOf } from "../core/outcome/headers.ts";
import type { Dead } from "../core/outcome/outcome.ts";
import type { ParsedRecord } from "../core/parsed-record.ts";
import type { OffsetEntry, OffsetTracker } from "../offsets/tracker.ts";
import { KeyQueues } from "../ordering/key-queues.ts";
import type { RetryBacklog, BacklogCheck } from "../ordering/retry-backlog.ts";
import { type RefusalState, createThrottledState } from "./refused-alone.ts";

/** One partition of one topic that this member owns: where records come in. */
export interface Inlet {
  readonly topic: string;
  readonly partition: number;
  /** Which retry tier the topic is; undefined for a source. */
  readonly tier: number | undefined;
  readonly tracker: OffsetTracker;
  /** The parked users of this partition number, shared by its sources and tiers. */
  readonly backlog: RetryBacklog;
}

/** An event between intake and commit. */
export interface WorkItem {
  readonly owned: Inlet;
  readonly entry: OffsetEntry;
  readonly parsed: ParsedRecord;
  readonly bytes: number;
  /** Bytes of the record that it shares with the other events of its list; 0 where it has a record of its own. */
  readonly sharedBytes: number;
  /** Calls made in the present round. */
  quickAttemptsUsed: number;
  /** A call of it has met a hold. */
  wasHeld: boolean;
  /** Its partition can go no further before it is finished. */
  mustSpill: boolean;
  /** It will never work, and waits for the dead-letter topic to be open to it. */
  pendingDeadLetter: Dead | undefined;
  /** It was refused, by an answer that holds the stream. */
  refusalState: RefusalState | undefined;
}

/**
 * Everything that one join of the group has brought. The next join begins a new one from what is committed, and nothing
 * of the old one counts any more: that is what keeps late results from moving another owner's offsets.
 */
export interface Assignment {
  isCurrentGeneration: boolean;
  readonly queues: KeyQueues<WorkItem>;
}

const createWorkItem = (
  { owned, entry }: Pick<WorkItem, "owned" | "entry">,
  parsed: ParsedRecord,
  isOnlyEvent: boolean,
): WorkItem => {
  const body = parsed.decision.kind === "call" ? parsed.decision.body.length : 0;
  const value = parsed.record.value?.length ?? 0;
  return {
    owned,
    entry,
    parsed,
    bytes: isOnlyEvent ? value + body : body,
    sharedBytes: isOnlyEvent ? 0 : value,
    quickAttemptsUsed: 0,
    wasHeld: false,
    mustSpill: false,
    pendingDeadLetter: undefined,
    refusalState: parsed.retryState.reason === "throttled" ? createThrottledState() : undefined,
  };
};

/** A list whose schema came late was parked as one record, when nobody knew its events; from now on they count. */
const completeParkedList = ({ tier, backlog }: Inlet, source: SourcePosition | undefined): void => {
  if (tier === undefined || source?.index === undefined) return;
  const recordKey = recordKeyOf(source);
  backlog.complete(recordKey, recordKey);
};

/** The events of a record that an earlier owner has not finished. */
export const createWorkItems = (
  owned: Inlet,
  entry: OffsetEntry,
  parsedRecords: readonly ParsedRecord[],
): WorkItem[] => {
  const [first] = parsedRecords;
  completeParkedList(owned, first?.retryState.source);
  if (first && parsedRecords.length === 1) return [createWorkItem({ owned, entry }, first, true)];
  const remainingEvents = entry.completedEvents?.size
    ? parsedRecords.filter((_, index) => !entry.completedEvents?.has(index))
    : parsedRecords;
  return remainingEvents.map((parsed) => createWorkItem({ owned, entry }, parsed, false));
};

/** Whether a record may go now, seen from those of its user that wait in the tiers. */
export const checkBacklog = ({ parsed, owned, entry }: WorkItem): BacklogCheck => {
  const { tier, backlog } = owned;
  if (tier === undefined && backlog.isUntouched) return { kind: "deliver" };
  const position = tier === undefined ? undefined : { tier, offset: entry.offset };
  return backlog.checkAndAdopt(parsed.user, eventKeyOf(parsed.retryState.source), position);
};

/** The lane of a user's records from the sources; those from the tiers have a lane of their own, so that neither waits for the other. */
export const sourceQueueKeyOf = ({ partition }: Inlet, user: string): string => `${partition}/${user}`;

export const queueKeyOf = (owned: Inlet, user: string): string =>
  owned.tier === undefined ? sourceQueueKeyOf(owned, user) : `tier ${sourceQueueKeyOf(owned, user)}`;

/** Whether it has failed before, by itself or with all others: there are better ones to ask whether the target is well. */
export const hasFailed = ({ wasHeld, quickAttemptsUsed, parsed }: WorkItem): boolean =>
  wasHeld || quickAttemptsUsed > 0 || parsed.retryState.attempts > 0;

/** Whether working on it means a call to Gainsight. */
export const needsCall = (item: WorkItem): boolean =>
  item.parsed.decision.kind === "call" && item.pendingDeadLetter === undefined && checkBacklog(item).kind === "deliver";

export const createAssignment = (): Assignment => ({ isCurrentGeneration: true, queues: new KeyQueues() });
