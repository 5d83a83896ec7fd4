import { textOf, type WireObject } from "./json.ts";

/** The counts that a drill is judged by. */
export interface LedgerCounts {
  /** How many message ids were accepted at least once. */
  readonly distinct: number;
  /** How often a message id was accepted again. */
  readonly duplicates: number;
  /** How many events were first accepted after an event of the same user with a later timestamp. */
  readonly inversions: number;
  /** How many events had no message id. They count nowhere else. */
  readonly withoutMessageId: number;
}

export interface LedgerReport extends LedgerCounts {
  readonly messageIds: ReadonlySet<string>;
}

export interface Ledger {
  readonly accept: (event: WireObject) => void;
  readonly report: () => LedgerReport;
  readonly reset: () => void;
}

const userFields = ["userId", "anonymousId", "groupId"] as const;

const createLedgerState = () => ({
  messageIds: new Set<string>(),
  // The newest timestamp by user. A userId and an equal anonymousId are two users, so each field has its own map.
  newestByUser: {
    userId: new Map<string, number>(),
    anonymousId: new Map<string, number>(),
    groupId: new Map<string, number>(),
  },
  duplicates: 0,
  inversions: 0,
  withoutMessageId: 0,
});

type LedgerState = ReturnType<typeof createLedgerState>;

/** Whether a newer event of the same user was accepted before. Remembers the timestamp. */
const recordOrder = ({ newestByUser }: LedgerState, event: WireObject): "in_order" | "inverted" => {
  for (const field of userFields) {
    const user = textOf(event, field);
    if (user === undefined) continue;
    const timestamp = Date.parse(textOf(event, "timestamp") ?? "");
    const newest = newestByUser[field].get(user);
    if (newest === undefined || timestamp > newest) newestByUser[field].set(user, timestamp);
    return newest !== undefined && timestamp < newest ? "inverted" : "in_order";
  }
  return "in_order";
};

/**
 * Counts the accepted events. A user is the userId, else the anonymousId, else the groupId. Only the first acceptance of a
 * message id can be an inversion, and equal timestamps are none.
 */
export const createLedger = (): Ledger => {
  let state = createLedgerState();
  return {
    accept: (event) => {
      const messageId = textOf(event, "messageId");
      if (messageId === undefined) {
        state.withoutMessageId += 1;
      } else if (state.messageIds.has(messageId)) {
        state.duplicates += 1;
      } else {
        state.messageIds.add(messageId);
        if (recordOrder(state, event) === "inverted") state.inversions += 1;
      }
    },
    report: () => {
      const { messageIds, duplicates, inversions, withoutMessageId } = state;
      return { distinct: messageIds.size, duplicates, inversions, withoutMessageId, messageIds };
    },
    reset: () => {
      state = createLedgerState();
    },
  };
};
