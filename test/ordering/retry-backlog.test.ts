import { describe, expect, test } from "vitest";

import { RetryBacklog } from "../../src/ordering/retry-backlog.ts";
import type { RetryPosition, ScannedRecord } from "../../src/ordering/scanned-records.ts";
import { takeTurn } from "./retry-backlog-world.ts";

const at = (tier: number, offset = 0): RetryPosition => ({ tier, offset });
const found = (id: string, place: RetryPosition, more: Partial<ScannedRecord> = {}): ScannedRecord => ({
  user: "u",
  eventKey: id,
  position: place,
  topic: "events",
  offset: Number(id.slice(1)),
  timestamp: 0,
  writtenAt: 0,
  ...more,
});
const deliver = { kind: "deliver" };
const superseded = { kind: "superseded" };
const forward = (tier: number) => ({ kind: "forward", tier });

describe("RetryBacklog", () => {
  test("delivers everything if nothing is parked", () => {
    const backlog = new RetryBacklog([]);
    expect(takeTurn(backlog, "u", "e1", undefined)).toEqual(deliver);
    backlog.complete("u", "e1");
    expect(takeTurn(backlog, "u", "e1", undefined)).toEqual(deliver);
    expect(backlog.userCount).toBe(0);
  });

  test("forwards a new event to the retry topic of its user's last event, not of the first", () => {
    const backlog = new RetryBacklog([]);
    backlog.upsert("u", "e1", at(1, 4));
    expect(takeTurn(backlog, "u", "e2", undefined)).toEqual(forward(1));
    backlog.upsert("u", "e2", at(0, 9));
    expect(takeTurn(backlog, "u", "e3", undefined)).toEqual(forward(0));
    expect(takeTurn(backlog, "other", "x", undefined)).toEqual(deliver);
    expect(backlog.userCount).toBe(1);
  });

  test("delivers only the first event of a key's backlog, and forwards one that is due too early behind the one before it", () => {
    const backlog = new RetryBacklog([found("e1", at(1, 4)), found("e2", at(0, 9)), found("e3", at(0, 10))]);
    expect(takeTurn(backlog, "u", "e2", at(0, 9))).toEqual(forward(1));
    backlog.upsert("u", "e2", at(1, 5));
    expect(takeTurn(backlog, "u", "e3", at(0, 10))).toEqual(forward(1));
    expect(takeTurn(backlog, "u", "e1", at(1, 4))).toEqual(deliver);
    backlog.complete("u", "e1");
    expect(takeTurn(backlog, "u", "e2", at(1, 5))).toEqual(deliver);
  });

  test("releases the user with the last event of the backlog", () => {
    const backlog = new RetryBacklog([found("e1", at(0))]);
    backlog.complete("u", "e1");
    expect(backlog.userCount).toBe(0);
    expect(takeTurn(backlog, "u", "e2", undefined)).toEqual(deliver);
  });

  test("counts only the copy that was written last, and no longer the one in the source", () => {
    const backlog = new RetryBacklog([found("e1", at(0, 4))]);
    backlog.upsert("u", "e1", at(1, 8));
    expect(takeTurn(backlog, "u", "e1", at(0, 4))).toEqual(superseded);
    expect(takeTurn(backlog, "u", "e1", at(1, 7))).toEqual(superseded);
    expect(takeTurn(backlog, "u", "e1", undefined)).toEqual(superseded);
    expect(takeTurn(backlog, "u", "e1", at(1, 8))).toEqual(deliver);
  });

  test("never delivers another copy of an event that was completed from the retry topics recently", () => {
    const backlog = new RetryBacklog([found("e1", at(0, 4))]);
    backlog.complete("u", "e1");
    expect(takeTurn(backlog, "u", "e1", at(0, 5))).toEqual(superseded);
    expect(takeTurn(backlog, "u", "e1", undefined)).toEqual(superseded);
  });

  test("keeps no user waiting for ever behind an event that was completed, read again from the source and failed", () => {
    const backlog = new RetryBacklog([found("e1", at(0, 4))]);
    backlog.complete("u", "e1");
    backlog.upsert("u", "e1", at(0, 5));
    expect(takeTurn(backlog, "u", "e1", at(0, 5))).toEqual(deliver);
    backlog.complete("u", "e1");
    expect(takeTurn(backlog, "u", "e2", undefined)).toEqual(deliver);
  });

  test("is untouched only until a user is parked, for it remembers the completed events", () => {
    const backlog = new RetryBacklog([]);
    expect(backlog.isUntouched).toBe(true);
    backlog.upsert("u", "e1", at(0));
    expect(backlog.isUntouched).toBe(false);
    backlog.complete("u", "e1");
    expect([backlog.userCount, backlog.isUntouched]).toEqual([0, false]);
  });

  test("remembers ten thousand completed events, and forgets the oldest first", () => {
    const ids = Array.from({ length: 10_001 }, (_, n) => `e${n}`);
    const backlog = new RetryBacklog(ids.map((id, n) => found(id, at(0, n), { user: id })));
    for (const id of ids) backlog.complete(id, id);
    expect(takeTurn(backlog, "e0", "e0", undefined)).toEqual(deliver);
    expect(takeTurn(backlog, "e1", "e1", undefined)).toEqual(superseded);
    expect(takeTurn(backlog, "e10000", "e10000", undefined)).toEqual(superseded);
  });

  test("takes a record of a retry topic that this process did not write as the last of its user", () => {
    const backlog = new RetryBacklog([found("e1", at(1, 4))]);
    expect(takeTurn(backlog, "u", "e9", at(0, 3))).toEqual(forward(1));
    expect(takeTurn(backlog, "u", "e10", undefined)).toEqual(forward(0));
    expect(takeTurn(backlog, "v", "x", at(0, 5))).toEqual(deliver);
    expect(takeTurn(backlog, "v", "y", undefined)).toEqual(forward(0));
  });

  test("changes nothing in a check: a record that it does not know waits for nobody until it is adopted", () => {
    const backlog = new RetryBacklog([]);
    for (const _ of [1, 2]) expect(backlog.check("u", "e1", at(0, 3))).toEqual(deliver);
    expect([backlog.recordCount, backlog.has("u", "e1"), backlog.check("u", "e2", undefined)]).toEqual([
      0,
      false,
      deliver,
    ]);
    backlog.adopt("u", "e1", at(0, 3));
    expect([backlog.recordCount, backlog.has("u", "e1"), backlog.check("u", "e2", undefined)]).toEqual([
      1,
      true,
      forward(0),
    ]);
  });

  test("adopts a record of a retry topic once, and no superseded copy", () => {
    const backlog = new RetryBacklog([found("e1", at(1, 4))]);
    backlog.adopt("u", "e2", at(0, 3));
    backlog.adopt("u", "e2", at(0, 3));
    backlog.adopt("u", "e2", at(0, 2));
    expect([backlog.recordCount, backlog.check("u", "e2", at(0, 3))]).toEqual([2, forward(1)]);
    backlog.complete("u", "e2");
    backlog.adopt("u", "e2", at(0, 3));
    expect([backlog.recordCount, backlog.check("u", "e2", at(0, 3))]).toEqual([1, superseded]);
  });

  test("counts the waiting records of each user, and of all backlogs that share their totals", () => {
    const totals = { records: 0 };
    const backlogs = [0, 1].map(() => new RetryBacklog([found("e1", at(0, 1)), found("e2", at(0, 2))], totals));
    backlogs[0]?.upsert("v", "e3", at(0, 3));
    backlogs[1]?.complete("u", "e1");
    expect(backlogs.map((backlog) => [backlog.lengthOf("u"), backlog.lengthOf("v"), backlog.totalRecordCount])).toEqual(
      [
        [2, 1, 4],
        [1, 0, 4],
      ],
    );
  });

  describe("with records whose user was unknown when they were parked", () => {
    test("releases each with the backlog of its real user", () => {
      const backlog = new RetryBacklog([found("e1", at(0, 1), { user: "e1" }), found("e2", at(0, 2), { user: "e2" })]);
      for (const [id, offset] of [
        ["e3", 3],
        ["e4", 4],
        ["e5", 5],
      ] as const)
        backlog.upsert(id, id, at(0, offset));
      expect(backlog.userCount).toBe(5);
      for (const offset of [1, 2, 3, 4, 5]) {
        expect(takeTurn(backlog, "u", `e${offset}`, at(0, offset))).toEqual(deliver);
        backlog.complete("u", `e${offset}`);
      }
      expect(backlog.userCount).toBe(0);
    });

    test("puts each behind the records of its real user, whose order stays", () => {
      const backlog = new RetryBacklog([
        found("e1", at(1, 1)),
        found("e2", at(2, 2)),
        found("e0", at(0, 3), { user: "e0" }),
      ]);
      expect(takeTurn(backlog, "u", "e0", at(0, 3))).toEqual(forward(2));
      backlog.upsert("u", "e0", at(2, 4));
      expect(backlog.userCount).toBe(1);
      expect(takeTurn(backlog, "u", "e2", at(2, 2))).toEqual(forward(1));
      for (const [id, place] of [
        ["e1", at(1, 1)],
        ["e2", at(2, 2)],
        ["e0", at(2, 4)],
      ] as const) {
        expect(takeTurn(backlog, "u", id, place)).toEqual(deliver);
        backlog.complete("u", id);
      }
      expect(backlog.userCount).toBe(0);
    });

    test("counts only the copy that was written last, whoever its user is", () => {
      const backlog = new RetryBacklog([found("e1", at(1, 8), { user: "e1" })]);
      expect(takeTurn(backlog, "u", "e1", at(0, 4))).toEqual(superseded);
      expect(takeTurn(backlog, "u", "e1", undefined)).toEqual(superseded);
      expect(takeTurn(backlog, "u", "e1", at(1, 8))).toEqual(deliver);
    });

    test("follows them when they move or complete under their real user without a check", () => {
      const backlog = new RetryBacklog([found("e1", at(0, 1), { user: "e1" }), found("e2", at(0, 2), { user: "e2" })]);
      backlog.upsert("u", "e1", at(1, 3));
      backlog.complete("u", "e2");
      expect(backlog.userCount).toBe(1);
      expect(takeTurn(backlog, "u", "e2", at(0, 2))).toEqual(superseded);
      expect(takeTurn(backlog, "u", "e1", at(1, 3))).toEqual(deliver);
    });
  });

  describe("rebuilt from the retry topics", () => {
    const orderOf = (records: readonly ScannedRecord[]): string[] => {
      const backlog = new RetryBacklog(records);
      const left = new Map(
        records.map((record) => [`${record.eventKey}@${record.position.tier}/${record.position.offset}`, record]),
      );
      const order: string[] = [];
      while (backlog.userCount > 0) {
        const first = [...left.values()].find(
          ({ user, eventKey: id, position: place }) => takeTurn(backlog, user, id, place).kind === "deliver",
        );
        if (!first) throw new Error("Nobody is the first");
        order.push(`${first.eventKey}@${first.position.tier}`);
        backlog.complete(first.user, first.eventKey);
      }
      return order;
    };

    test.each<[string, ScannedRecord[], string[]]>([
      ["nothing", [], []],
      [
        "source order, whatever the order of the tiers",
        [found("e3", at(0)), found("e1", at(1)), found("e2", at(2))],
        ["e1@1", "e2@2", "e3@0"],
      ],
      [
        "the order of the events of one record's list",
        [
          found("e3", at(0, 1), { offset: 7, index: 2 }),
          found("e1", at(0, 2), { offset: 7 }),
          found("e2", at(0, 3), { offset: 7, index: 1 }),
        ],
        ["e1@0", "e2@0", "e3@0"],
      ],
      ["offsets as numbers", [found("e10", at(0)), found("e9", at(1))], ["e9@1", "e10@0"]],
      [
        "the younger of two copies",
        [found("e1", at(1), { writtenAt: 9 }), found("e1", at(0), { writtenAt: 5 })],
        ["e1@1"],
      ],
      [
        "the later found of two copies of the same time, as a repeated write leaves them",
        [found("e1", at(0, 3)), found("e1", at(1, 4))],
        ["e1@1"],
      ],
      [
        "the time of the records between two topics, and the offsets within each",
        [
          found("a2", at(0, 1), { topic: "a", timestamp: 10 }),
          found("b1", at(0, 2), { topic: "b", timestamp: 20 }),
          found("a3", at(0, 3), { topic: "a", timestamp: 30 }),
          found("b0", at(0, 4), { topic: "b", timestamp: 15 }),
        ],
        ["a2@0", "b0@0", "b1@0", "a3@0"],
      ],
    ])("keeps %s", (_, records, order) => {
      expect(orderOf(records)).toEqual(order);
    });

    test.each<[string, number]>([
      ["one topic", 1],
      ["three topics", 3],
    ])("keeps the order of 50,000 records of one user from %s", (_, topics) => {
      const expected = Array.from({ length: 50_000 }, (__, n) =>
        found(`e${n}`, at(0, n), { topic: `t${n % topics}`, timestamp: n }),
      );
      const backlog = new RetryBacklog(expected.toReversed());
      for (const { user, eventKey: id, position: place } of expected) {
        if (takeTurn(backlog, user, id, place).kind !== "deliver") throw new Error(`${id} is not the first`);
        backlog.complete(user, id);
      }
      expect(backlog.userCount).toBe(0);
    });

    test("keeps users apart", () => {
      const backlog = new RetryBacklog([found("e1", at(0, 1)), found("e2", at(0, 2), { user: "v" })]);
      expect(backlog.userCount).toBe(2);
      expect(takeTurn(backlog, "v", "e2", at(0, 2))).toEqual(deliver);
    });
  });

  test("no longer waits for records deleted from the log of a retry topic, and still waits for all others", () => {
    const backlog = new RetryBacklog([found("e1", at(0, 4)), found("e2", at(0, 5)), found("e3", at(1, 4))]);
    backlog.removeRange(0, { from: 0, to: 5 });
    expect(takeTurn(backlog, "u", "e2", at(0, 5))).toEqual(deliver);
    expect(takeTurn(backlog, "u", "e3", at(1, 4))).toEqual(forward(0));
    backlog.removeRange(0, { from: 5, to: 6 });
    backlog.removeRange(1, { from: 0, to: 9 });
    expect([backlog.userCount, backlog.recordCount]).toEqual([0, 0]);
    expect(takeTurn(backlog, "u", "e4", undefined)).toEqual(deliver);
  });

  test("puts the records of a topic that was created again behind those of the former topic, whose offsets were higher", () => {
    const old = (id: string, timestamp: number) => found(id, at(0, timestamp), { topicId: "old", timestamp });
    const anew = (id: string, timestamp: number) => found(id, at(0, timestamp), { topicId: "new", timestamp });
    const backlog = new RetryBacklog([anew("e1", 30), old("e8", 10), old("e9", 20)]);
    expect(takeTurn(backlog, "u", "e8", at(0, 10))).toEqual(deliver);
    expect(takeTurn(backlog, "u", "e9", at(0, 20))).toEqual(forward(0));
    expect(takeTurn(backlog, "u", "e1", at(0, 30))).toEqual(forward(0));
    backlog.complete("u", "e8");
    backlog.complete("u", "e9");
    expect(takeTurn(backlog, "u", "e1", at(0, 30))).toEqual(deliver);
  });
});
