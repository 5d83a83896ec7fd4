import { type SourcePosition, eventKeyOf, recordKeyOf } from "../core/outcome/headers.ts";
import type { Dead } from "../core/outcome/outcome.ts";
import type { ParsedRecord } from "../core/parsed-record.ts";
import type { OffsetEntry, OffsetTracker } from "../offsets/tracker.ts";
import type { RetryBacklog } from "../ordering/retry-backlog.ts";
import { type RefusalState, createThrottledState } from "./refused-alone.ts";

/** What the pipeline sees of an owned partition once it is open. */
export interface OpenPartition {
  readonly topic: string;
  readonly partition: number;
  /** The index of a retry topic; undefined for a source topic. */
  readonly tier: number | undefined;
  readonly tracker: OffsetTracker;
  /** The users of this partition number who have records in the retry topics. The source and retry topics share it. */
  readonly backlog: RetryBacklog;
}

/** An event between intake and commit. */
export interface WorkItem {
  readonly owned: OpenPartition;
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

const createWorkItem = ({ owned, entry, parsed }: Pick<WorkItem, "owned" | "entry" | "parsed">): WorkItem => {
  const isOnlyEvent = entry.completedEvents === undefined;
  const bodyBytes = parsed.decision.kind === "call" ? parsed.decision.body.length : 0;
  const valueBytes = parsed.record.value?.length ?? 0;
  return {
    owned,
    entry,
    parsed,
    bytes: isOnlyEvent ? valueBytes + bodyBytes : bodyBytes,
    sharedBytes: isOnlyEvent ? 0 : valueBytes,
    quickAttemptsUsed: 0,
    wasHeld: false,
    mustSpill: false,
    pendingDeadLetter: undefined,
    refusalState: parsed.retryState.reason === "throttled" ? createThrottledState() : undefined,
  };
};

/** A list whose schema came late was parked as one record, when nobody knew its events; from now on they count. */
const completeParkedList = ({ tier, backlog }: OpenPartition, source: SourcePosition | undefined): void => {
  if (tier === undefined || source?.index === undefined) return;
  const recordKey = recordKeyOf(source);
  backlog.complete(recordKey, recordKey);
};

/** The events of a record, without those that an earlier owner has completed. */
export const createWorkItems = (
  owned: OpenPartition,
  entry: OffsetEntry,
  parsedRecords: readonly ParsedRecord[],
): readonly WorkItem[] => {
  completeParkedList(owned, parsedRecords[0]?.retryState.source);
  const { completedEvents } = entry;
  const remaining = completedEvents?.size
    ? parsedRecords.filter((_, index) => !completedEvents.has(index))
    : parsedRecords;
  return remaining.map((parsed) => createWorkItem({ owned, entry, parsed }));
};

/** Whether the event has failed before, by itself or with all others: others are better probes. */
export const hasFailed = ({ wasHeld, quickAttemptsUsed, parsed }: WorkItem): boolean =>
  wasHeld || quickAttemptsUsed > 0 || parsed.retryState.attempts > 0;
