import { textOf, type WireObject } from "./json.ts";

/** The counts a drill is judged by. */
export interface LedgerCounts {
  /** Message ids accepted at least once. */
  readonly distinct: number;
  /** Acceptances of a message id that had been accepted before. */
  readonly duplicates: number;
  /** Events first accepted after one of the same user with a greater timestamp. */
  readonly inversions: number;
  /** Events accepted that carry no message id; they count nowhere else. */
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
  // The same text as a userId and as an anonymousId is two users, so each field has a map of its own.
  latest: {
    userId: new Map<string, number>(),
    anonymousId: new Map<string, number>(),
    groupId: new Map<string, number>(),
  },
  duplicates: 0,
  inversions: 0,
  withoutMessageId: 0,
});

type LedgerState = ReturnType<typeof createLedgerState>;

const isInverted = ({ latest }: LedgerState, event: WireObject): boolean => {
  for (const field of userFields) {
    const user = textOf(event, field);
    if (user === undefined) continue;
    const timestamp = Date.parse(textOf(event, "timestamp") ?? "");
    const newest = latest[field].get(user);
    if (newest === undefined || timestamp > newest) latest[field].set(user, timestamp);
    return newest !== undefined && timestamp < newest;
  }
  return false;
};

/**
 * Keeps what was accepted. A user is the userId, else the anonymousId, else the groupId; equal timestamps are never
 * an inversion, and a repeat never is one: only its first acceptance counts.
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
        if (isInverted(state, event)) state.inversions += 1;
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
