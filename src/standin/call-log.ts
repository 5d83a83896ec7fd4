import { textOf, type WireObject } from "./json.ts";

/** How a call ended: the HTTP status of its response, or `reset` or `hang` if there was none. */
export type CallStatus = number | "reset" | "hang";

/** What is kept of a call: never traits or properties. */
export interface RecordedCall {
  /** When the call ended, in ISO 8601 UTC. */
  readonly time: string;
  readonly status: CallStatus;
  readonly type?: string | undefined;
  readonly messageId?: string | undefined;
  readonly userId?: string | undefined;
  readonly event?: string | undefined;
}

export interface CallCounts {
  readonly total: number;
  readonly delivered: number;
  readonly byStatus: Readonly<Record<string, number>>;
  readonly byType: Readonly<Record<string, number>>;
  /** The calls in each of the last ten whole seconds, oldest first. */
  readonly perSecond: readonly number[];
}

export interface CallLog {
  readonly record: (status: CallStatus, event: WireObject | undefined) => void;
  readonly recordDelivered: () => void;
  readonly counts: () => CallCounts;
  /** The newest calls in the order they ended. */
  readonly newest: (limit: number) => readonly RecordedCall[];
  readonly reset: () => void;
}

/** How many calls are kept one by one. */
export const maxRecordedCalls = 1_000;

const windowSeconds = 10;

// A client can send any type: a count for each would let it fill the memory.
const countedTypes = new Set(["identify", "track", "group", "page", "screen", "alias", "delete"]);

const typeLabelOf = (event: WireObject | undefined): string => {
  const type = event && textOf(event, "type");
  if (type === undefined) return "none";
  return countedTypes.has(type) ? type : "other";
};

const increment = <K>(counts: Map<K, number>, key: K): void => {
  counts.set(key, (counts.get(key) ?? 0) + 1);
};

type StoredCall = Omit<RecordedCall, "time"> & { readonly at: number };

const toRecordedCall = ({ at, ...call }: StoredCall): RecordedCall => ({ time: new Date(at).toISOString(), ...call });

const fieldsOf = (event: WireObject) => ({
  type: textOf(event, "type"),
  messageId: textOf(event, "messageId"),
  userId: textOf(event, "userId"),
  event: textOf(event, "event"),
});

const inOrder = (ring: readonly StoredCall[], total: number): readonly StoredCall[] => {
  const oldest = ring.length < maxRecordedCalls ? 0 : total % maxRecordedCalls;
  return [...ring.slice(oldest), ...ring.slice(0, oldest)];
};

const createPerSecondCounts = () => {
  const counts = new Map<number, number>();
  return {
    add: (second: number): void => {
      if (!counts.has(second)) {
        for (const counted of counts.keys()) if (counted < second - windowSeconds) counts.delete(counted);
      }
      increment(counts, second);
    },
    before: (second: number): readonly number[] =>
      Array.from({ length: windowSeconds }, (_, index) => counts.get(second - windowSeconds + index) ?? 0),
  };
};

const createTotals = () => ({
  total: 0,
  delivered: 0,
  byStatus: new Map<CallStatus, number>(),
  byType: new Map<string, number>(),
  perSecond: createPerSecondCounts(),
});

/** Counts calls and keeps the newest. `wallNow` returns milliseconds since 1970. */
export const createCallLog = (wallNow: () => number): CallLog => {
  let totals = createTotals();
  let ring: StoredCall[] = [];

  return {
    record: (status, event) => {
      const at = wallNow();
      ring[totals.total % maxRecordedCalls] = event ? { at, status, ...fieldsOf(event) } : { at, status };
      totals.total += 1;
      increment(totals.byStatus, status);
      increment(totals.byType, typeLabelOf(event));
      totals.perSecond.add(Math.floor(at / 1_000));
    },
    recordDelivered: () => {
      totals.delivered += 1;
    },
    counts: () => ({
      total: totals.total,
      delivered: totals.delivered,
      byStatus: Object.fromEntries(totals.byStatus),
      byType: Object.fromEntries(totals.byType),
      perSecond: totals.perSecond.before(Math.floor(wallNow() / 1_000)),
    }),
    newest: (limit) => inOrder(ring, totals.total).slice(-limit).map(toRecordedCall),
    reset: () => {
      totals = createTotals();
      ring = [];
    },
  };
};
