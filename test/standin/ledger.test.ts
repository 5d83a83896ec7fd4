import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { createLedger } from "../../src/standin/ledger.ts";

interface Accepted {
  readonly messageId?: string;
  readonly userId?: string;
  readonly anonymousId?: string;
  readonly groupId?: string;
  readonly timestamp: string;
}

const at = (second: number): string => new Date(1_700_000_000_000 + second * 1_000).toISOString();

const userOf = ({ userId, anonymousId, groupId }: Accepted): string | undefined =>
  (userId && `u ${userId}`) ?? (anonymousId && `a ${anonymousId}`) ?? (groupId && `g ${groupId}`);

/** A slow, simple model: compares each first acceptance with every one before it. */
const naively = (events: readonly Accepted[]) => {
  const identified = events.filter((event) => event.messageId !== undefined);
  const firsts = identified.filter(
    (event, index) => identified.findIndex((other) => other.messageId === event.messageId) === index,
  );
  const inverted = firsts.filter((event, index) =>
    firsts
      .slice(0, index)
      .some(
        (earlier) =>
          userOf(event) !== undefined && userOf(earlier) === userOf(event) && earlier.timestamp > event.timestamp,
      ),
  );
  return {
    distinct: firsts.length,
    duplicates: identified.length - firsts.length,
    inversions: inverted.length,
    withoutMessageId: events.length - identified.length,
  };
};

const countsOf = (events: readonly Accepted[]) => {
  const ledger = createLedger();
  for (const event of events) ledger.accept({ ...event });
  const { messageIds, ...counts } = ledger.report();
  return { counts, messageIds };
};

const oneOf = (...names: readonly string[]) => fc.constantFrom(...names);

const anyEvent: fc.Arbitrary<Accepted> = fc.record(
  {
    messageId: fc.integer({ min: 0, max: 25 }).map((number) => `m${number}`),
    userId: oneOf("x", "y"),
    anonymousId: oneOf("x", "y"),
    groupId: oneOf("x", "y"),
    timestamp: fc.integer({ min: 0, max: 12 }).map(at),
  },
  { requiredKeys: ["timestamp"] },
);

describe("the ledger", () => {
  it("counts as a naive model does, for any events in any order", () => {
    fc.assert(
      fc.property(fc.array(anyEvent, { maxLength: 60 }), (events) => {
        expect(countsOf(events).counts).toEqual(naively(events));
      }),
      { numRuns: 500 },
    );
  });

  it.each<[string, readonly Accepted[], number]>([
    [
      "a later event first is one inversion",
      [
        { messageId: "b", userId: "u", timestamp: at(2) },
        { messageId: "a", userId: "u", timestamp: at(1) },
      ],
      1,
    ],
    [
      "equal timestamps are no inversion",
      [
        { messageId: "b", userId: "u", timestamp: at(1) },
        { messageId: "a", userId: "u", timestamp: at(1) },
      ],
      0,
    ],
    [
      "another user's event is no inversion",
      [
        { messageId: "b", userId: "u", timestamp: at(2) },
        { messageId: "a", userId: "v", timestamp: at(1) },
      ],
      0,
    ],
    [
      "a userId and an anonymousId of the same text are two users",
      [
        { messageId: "b", userId: "u", timestamp: at(2) },
        { messageId: "a", anonymousId: "u", timestamp: at(1) },
      ],
      0,
    ],
    [
      "a duplicate of the first event after the second is no inversion",
      [
        { messageId: "a", userId: "u", timestamp: at(1) },
        { messageId: "b", userId: "u", timestamp: at(2) },
        { messageId: "a", userId: "u", timestamp: at(1) },
      ],
      0,
    ],
    [
      "each event after the latest one counts",
      [
        { messageId: "c", userId: "u", timestamp: at(3) },
        { messageId: "a", userId: "u", timestamp: at(1) },
        { messageId: "b", userId: "u", timestamp: at(2) },
      ],
      2,
    ],
  ])("finds inversions: %s", (_title, events, inversions) => {
    expect(countsOf(events).counts.inversions).toBe(inversions);
  });

  it("returns the distinct message ids, and clears them on reset", () => {
    const ledger = createLedger();
    for (const messageId of ["a", "b", "a"]) ledger.accept({ messageId, timestamp: at(0) });
    expect([...ledger.report().messageIds]).toEqual(["a", "b"]);
    ledger.reset();
    expect(ledger.report()).toEqual({
      distinct: 0,
      duplicates: 0,
      inversions: 0,
      withoutMessageId: 0,
      messageIds: new Set(),
    });
  });
});
