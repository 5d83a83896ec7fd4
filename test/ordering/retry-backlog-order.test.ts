import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { type Verdict, createBacklogWorld } from "./retry-backlog-world.ts";

const kinds = ["source", "source", "tier", "tier", "tier", "wait", "commit", "handOver", "crash"] as const;
type Kind = (typeof kinds)[number];

const stepOf = (from: readonly Kind[]) =>
  fc.record({
    kind: fc.constantFrom(...from),
    tier: fc.nat(2),
    verdict: fc.constantFrom<Verdict[]>("deliver", "fail", "fail", "dead"),
    isRepeated: fc.nat(9).map((chance) => chance === 0),
  });
const users = fc.array(fc.constantFrom("u", "u", "v", "w"), { minLength: 1, maxLength: 12, size: "max" });
const scriptOf = (from: readonly Kind[]) => fc.array(stepOf(from), { maxLength: 150, size: "max" });

type Step = { kind: Kind; tier: number; verdict: Verdict; isRepeated: boolean };

const play = (names: readonly string[], script: readonly Step[]) => {
  const { steps, drain } = createBacklogWorld(names);
  const doers: Record<Kind, (step: Step) => void> = {
    source: ({ verdict, isRepeated }) => steps.source(verdict, isRepeated),
    tier: ({ tier, verdict, isRepeated }) => steps.tier(tier, verdict, isRepeated),
    wait: steps.wait,
    commit: steps.commit,
    handOver: () => {
      steps.commit();
      steps.restart();
    },
    crash: steps.restart,
  };
  for (const step of script) doers[step.kind](step);
  return drain();
};

const byUser = (events: readonly { user: string; offset: number }[]) =>
  Object.fromEntries(
    Object.entries(Object.groupBy(events, ({ user }) => user)).map(([user, theirs]) => [
      user,
      theirs?.map(({ offset }) => offset),
    ]),
  );

describe("RetryBacklog, over the whole life of each event", () => {
  test("completes every event once and each user's in source order, through retry topics, repeated writes and hand-overs", () => {
    fc.assert(
      fc.property(users, scriptOf(kinds.filter((kind) => kind !== "crash")), (names, script) => {
        const { source, ended, parked } = play(names, script);
        expect(byUser(ended)).toEqual(byUser(source));
        expect(parked).toBe(0);
      }),
      { numRuns: 2_000 },
    );
  }, 30_000);

  test("loses nothing through crashes, and completes the first copies of each user's events in source order", () => {
    fc.assert(
      fc.property(users, scriptOf(kinds), (names, script) => {
        const { source, ended, parked } = play(names, script);
        const firsts = ended.filter((event, index) => ended.findIndex(({ id }) => id === event.id) === index);
        expect(byUser(firsts)).toEqual(byUser(source));
        expect(parked).toBe(0);
      }),
      { numRuns: 2_000 },
    );
  }, 30_000);
});
