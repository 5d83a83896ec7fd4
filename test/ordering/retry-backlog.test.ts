import { describe, expect, test } from "vitest";

import { Chains, type Found, type Place } from "../../src/ordering/retry-backlog.ts";

const at = (tier: number, offset = 0): Place => ({ tier, offset });
const found = (id: string, place: Place, more: Partial<Found> = {}): Found => ({
  user: "u",
  id,
  place,
  topic: "events",
  offset: Number(id.slice(1)),
  timestamp: 0,
  writtenAt: 0,
  ...more,
});
const deliver = { kind: "deliver" };
const superseded = { kind: "superseded" };
const forward = (tier: number) => ({ kind: "forward", tier });

describe("Chains", () => {
  test("lets everything go where nobody is parked", () => {
    const chains = new Chains([]);
    expect(chains.turnOf("u", "e1", undefined)).toEqual(deliver);
    chains.finished("u", "e1");
    expect(chains.turnOf("u", "e1", undefined)).toEqual(deliver);
    expect(chains.users).toBe(0);
  });

  test("sends a newcomer to where the last of its user waits, not the first", () => {
    const chains = new Chains([]);
    chains.moved("u", "e1", at(1, 4));
    expect(chains.turnOf("u", "e2", undefined)).toEqual(forward(1));
    chains.moved("u", "e2", at(0, 9));
    expect(chains.turnOf("u", "e3", undefined)).toEqual(forward(0));
    expect(chains.turnOf("other", "x", undefined)).toEqual(deliver);
    expect(chains.users).toBe(1);
  });

  test("delivers only the first of a chain, and sends one that is due too early behind the one before it", () => {
    const chains = new Chains([found("e1", at(1, 4)), found("e2", at(0, 9)), found("e3", at(0, 10))]);
    expect(chains.turnOf("u", "e2", at(0, 9))).toEqual(forward(1));
    chains.moved("u", "e2", at(1, 5));
    expect(chains.turnOf("u", "e3", at(0, 10))).toEqual(forward(1));
    expect(chains.turnOf("u", "e1", at(1, 4))).toEqual(deliver);
    chains.finished("u", "e1");
    expect(chains.turnOf("u", "e2", at(1, 5))).toEqual(deliver);
  });

  test("releases the user with the last of his chain", () => {
    const chains = new Chains([found("e1", at(0))]);
    chains.finished("u", "e1");
    expect(chains.users).toBe(0);
    expect(chains.turnOf("u", "e2", undefined)).toEqual(deliver);
  });

  test("counts only the copy that was written last, and the source's no more", () => {
    const chains = new Chains([found("e1", at(0, 4))]);
    chains.moved("u", "e1", at(1, 8));
    expect(chains.turnOf("u", "e1", at(0, 4))).toEqual(superseded);
    expect(chains.turnOf("u", "e1", at(1, 7))).toEqual(superseded);
    expect(chains.turnOf("u", "e1", undefined)).toEqual(superseded);
    expect(chains.turnOf("u", "e1", at(1, 8))).toEqual(deliver);
  });

  test("never delivers another copy of what went through the tiers lately", () => {
    const chains = new Chains([found("e1", at(0, 4))]);
    chains.finished("u", "e1");
    expect(chains.turnOf("u", "e1", at(0, 5))).toEqual(superseded);
    expect(chains.turnOf("u", "e1", undefined)).toEqual(superseded);
  });

  test("keeps nobody waiting for ever behind an event that ended, came once more from the source and failed", () => {
    const chains = new Chains([found("e1", at(0, 4))]);
    chains.finished("u", "e1");
    chains.moved("u", "e1", at(0, 5));
    expect(chains.turnOf("u", "e1", at(0, 5))).toEqual(deliver);
    chains.finished("u", "e1");
    expect(chains.turnOf("u", "e2", undefined)).toEqual(deliver);
  });

  test("is empty only until somebody is parked, for it remembers who was", () => {
    const chains = new Chains([]);
    expect(chains.isEmpty).toBe(true);
    chains.moved("u", "e1", at(0));
    expect(chains.isEmpty).toBe(false);
    chains.finished("u", "e1");
    expect([chains.users, chains.isEmpty]).toEqual([0, false]);
  });

  test("remembers ten thousand of them, and forgets the oldest first", () => {
    const ids = Array.from({ length: 10_001 }, (_, n) => `e${n}`);
    const chains = new Chains(ids.map((id, n) => found(id, at(0, n), { user: id })));
    for (const id of ids) chains.finished(id, id);
    expect(chains.turnOf("e0", "e0", undefined)).toEqual(deliver);
    expect(chains.turnOf("e1", "e1", undefined)).toEqual(superseded);
    expect(chains.turnOf("e10000", "e10000", undefined)).toEqual(superseded);
  });

  test("takes a record of a tier that nobody here wrote as the last of its user", () => {
    const chains = new Chains([found("e1", at(1, 4))]);
    expect(chains.turnOf("u", "e9", at(0, 3))).toEqual(forward(1));
    expect(chains.turnOf("u", "e10", undefined)).toEqual(forward(0));
    expect(chains.turnOf("v", "x", at(0, 5))).toEqual(deliver);
    expect(chains.turnOf("v", "y", undefined)).toEqual(forward(0));
  });

  describe("with records whose user was unknown when they were parked", () => {
    test("releases each with the chain of its real user", () => {
      const chains = new Chains([found("e1", at(0, 1), { user: "e1" }), found("e2", at(0, 2), { user: "e2" })]);
      for (const [id, offset] of [
        ["e3", 3],
        ["e4", 4],
        ["e5", 5],
      ] as const)
        chains.moved(id, id, at(0, offset));
      expect(chains.users).toBe(5);
      for (const offset of [1, 2, 3, 4, 5]) {
        expect(chains.turnOf("u", `e${offset}`, at(0, offset))).toEqual(deliver);
        chains.finished("u", `e${offset}`);
      }
      expect(chains.users).toBe(0);
    });

    test("puts each behind its real user's, whose order stays", () => {
      const chains = new Chains([found("e1", at(1, 1)), found("e2", at(2, 2)), found("e0", at(0, 3), { user: "e0" })]);
      expect(chains.turnOf("u", "e0", at(0, 3))).toEqual(forward(2));
      chains.moved("u", "e0", at(2, 4));
      expect(chains.users).toBe(1);
      expect(chains.turnOf("u", "e2", at(2, 2))).toEqual(forward(1));
      for (const [id, place] of [
        ["e1", at(1, 1)],
        ["e2", at(2, 2)],
        ["e0", at(2, 4)],
      ] as const) {
        expect(chains.turnOf("u", id, place)).toEqual(deliver);
        chains.finished("u", id);
      }
      expect(chains.users).toBe(0);
    });

    test("counts none but the copy that was written last, whoever its user is", () => {
      const chains = new Chains([found("e1", at(1, 8), { user: "e1" })]);
      expect(chains.turnOf("u", "e1", at(0, 4))).toEqual(superseded);
      expect(chains.turnOf("u", "e1", undefined)).toEqual(superseded);
      expect(chains.turnOf("u", "e1", at(1, 8))).toEqual(deliver);
    });

    test("follows them when they move or end under their real user without a turn", () => {
      const chains = new Chains([found("e1", at(0, 1), { user: "e1" }), found("e2", at(0, 2), { user: "e2" })]);
      chains.moved("u", "e1", at(1, 3));
      chains.finished("u", "e2");
      expect(chains.users).toBe(1);
      expect(chains.turnOf("u", "e2", at(0, 2))).toEqual(superseded);
      expect(chains.turnOf("u", "e1", at(1, 3))).toEqual(deliver);
    });
  });

  describe("rebuilt from the tiers", () => {
    const orderOf = (records: readonly Found[]): string[] => {
      const chains = new Chains(records);
      const left = new Map(
        records.map((record) => [`${record.id}@${record.place.tier}/${record.place.offset}`, record]),
      );
      const order: string[] = [];
      while (chains.users > 0) {
        const first = [...left.values()].find(
          ({ user, id, place }) => chains.turnOf(user, id, place).kind === "deliver",
        );
        if (!first) throw new Error("Nobody is the first");
        order.push(`${first.id}@${first.place.tier}`);
        chains.finished(first.user, first.id);
      }
      return order;
    };

    test.each<[string, Found[], string[]]>([
      ["nothing", [], []],
      [
        "source order, whatever the order of the tiers",
        [found("e3", at(0)), found("e1", at(1)), found("e2", at(2))],
        ["e1@1", "e2@2", "e3@0"],
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
      const chains = new Chains(expected.toReversed());
      for (const { user, id, place } of expected) {
        if (chains.turnOf(user, id, place).kind !== "deliver") throw new Error(`${id} is not the first`);
        chains.finished(user, id);
      }
      expect(chains.users).toBe(0);
    });

    test("keeps users apart", () => {
      const chains = new Chains([found("e1", at(0, 1)), found("e2", at(0, 2), { user: "v" })]);
      expect(chains.users).toBe(2);
      expect(chains.turnOf("v", "e2", at(0, 2))).toEqual(deliver);
    });
  });

  test("waits no longer for what is gone from the log of a tier, and still for everything else", () => {
    const chains = new Chains([found("e1", at(0, 4)), found("e2", at(0, 5)), found("e3", at(1, 4))]);
    chains.gone(0, { from: 0, to: 5 });
    expect(chains.turnOf("u", "e2", at(0, 5))).toEqual(deliver);
    expect(chains.turnOf("u", "e3", at(1, 4))).toEqual(forward(0));
    chains.gone(0, { from: 5, to: 6 });
    chains.gone(1, { from: 0, to: 9 });
    expect([chains.users, chains.records]).toEqual([0, 0]);
    expect(chains.turnOf("u", "e4", undefined)).toEqual(deliver);
  });

  test("puts the records of a topic that was made anew behind those of the former one, whose offsets were higher", () => {
    const old = (id: string, timestamp: number) => found(id, at(0, timestamp), { topicId: "old", timestamp });
    const anew = (id: string, timestamp: number) => found(id, at(0, timestamp), { topicId: "new", timestamp });
    const chains = new Chains([anew("e1", 30), old("e8", 10), old("e9", 20)]);
    expect(chains.turnOf("u", "e8", at(0, 10))).toEqual(deliver);
    expect(chains.turnOf("u", "e9", at(0, 20))).toEqual(forward(0));
    expect(chains.turnOf("u", "e1", at(0, 30))).toEqual(forward(0));
    chains.finished("u", "e8");
    chains.finished("u", "e9");
    expect(chains.turnOf("u", "e1", at(0, 30))).toEqual(deliver);
  });
});
