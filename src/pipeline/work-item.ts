import { recordKeyOf } from "../core/outcome/headers.ts";
import type { Dead } from "../core/outcome/outcome.ts";
import type { ParsedRecord } from "../core/parsed-record.ts";
import type { OffsetEntry, OffsetTracker } from "../offsets/tracker.ts";
import type { RetryBacklog } from "../ordering/retry-backlog.ts";
import { type RefusalState, createThrottledState } from "./refused-alone.ts";

/** An owned partition that is open, as the pipeline uses it. */
export interface OpenPartition {
  readonly topic: string;
  readonly partition: number;
  /** The index of a retry topic; undefined for a source topic. */
  readonly tier: number | undefined;
  readonly tracker: OffsetTracker;
  /** The records of this partition number that wait in the retry topics, by user. All topics of the number share it. */
  readonly backlog: RetryBacklog;
}

/** An event in flight, between its read and its commit. */
export interface WorkItem {
  readonly owned: OpenPartition;
  readonly entry: OffsetEntry;
  readonly parsed: ParsedRecord;
  /** Bytes that only this event uses. */
  readonly bytes: number;
  /** Bytes of the record, shared with the other events of its list; 0 if the event has its own record. */
  readonly sharedBytes: number;
  /** Failed calls in the present round. */
  quickAttemptsUsed: number;
  /** Whether one of its calls met a hold. */
  wasHeld: boolean;
  /** Whether it goes to a retry topic because its partition cannot continue before it is completed. */
  mustSpill: boolean;
  /** The outcome of an event that can never be delivered, while the dead-letter limit holds it back. */
  pendingDeadLetter: Dead | undefined;
  /** Set once Gainsight has refused the event in a way that usually holds all events. */
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

/**
 * If a list was parked before its schema was known, the backlog has one entry for the whole record. Now that the record is
 * parsed, its events count instead, and that entry is removed.
 */
export const completeParkedList = ({ tier, backlog }: OpenPartition, [firstEvent]: readonly ParsedRecord[]): void => {
  const source = firstEvent?.retryState.source;
  if (tier === undefined || source?.index === undefined) return;
  const recordKey = recordKeyOf(source);
  backlog.complete(recordKey, recordKey);
};

/** Creates the work items of a record, without the events that an earlier owner has completed. */
export const createWorkItems = (
  owned: OpenPartition,
  entry: OffsetEntry,
  parsedRecords: readonly ParsedRecord[],
): readonly WorkItem[] => {
  const { completedEvents } = entry;
  const [only] = parsedRecords;
  if (only && parsedRecords.length === 1) return [createWorkItem({ owned, entry, parsed: only })];
  const remaining = completedEvents?.size
    ? parsedRecords.filter((_, index) => !completedEvents.has(index))
    : parsedRecords;
  return remaining.map((parsed) => createWorkItem({ owned, entry, parsed }));
};

/** Whether the event has failed before, alone or during a hold. Then other events are better probes. */
export const hasFailed = ({ wasHeld, quickAttemptsUsed, parsed }: WorkItem): boolean =>
  wasHeld || quickAttemptsUsed > 0 || parsed.retryState.attempts > 0;
