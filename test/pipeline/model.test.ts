import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { type Answer, createModelWorld } from "./model-world.ts";

const kinds = [
  "source",
  "source",
  "read",
  "read",
  "read",
  "answer",
  "answer",
  "answer",
  "acknowledge",
  "acknowledge",
  "reopen",
  "fire",
  "fire",
  "failRound",
  "failRound",
  "spill",
  "copy",
  "goOn",
  "commit",
  "handOver",
  "crash",
  "failCalls",
  "failCalls",
  "readAll",
  "readAll",
  "readAll",
  "newest",
  "tooLarge",
] as const;
type Kind = (typeof kinds)[number];

/** Long backlogs, read and moved on while acknowledgements are late, which a uniform mixture rarely reaches. */
const backlogKinds: readonly Kind[] =
  "source source readAll readAll readAll failCalls acknowledge newest newest answer fire reopen goOn spill handOver tooLarge copy crash commit"
    .split(" ")
    .map((name) => name as Kind);

const scriptOf = (isAllowed: (kind: Kind) => boolean) =>
  fc.oneof(stepsOf(kinds.filter(isAllowed)), stepsOf(backlogKinds.filter(isAllowed)));

const stepsOf = (from: readonly Kind[]) =>
  fc.array(
    fc.record({
      kind: fc.constantFrom(...from),
      number: fc.nat(30),
      answer: fc.constantFrom<Answer[]>(
        "deliver",
        "deliver",
        "deliver",
        "fail",
        "fail",
        "fail",
        "fail",
        "dead",
        "dead",
        "throttled",
        "misconfigured",
      ),
    }),
    { maxLength: 80, size: "max" },
  );
/** Users by their letter; those whose name ends in `b` write to the second source topic, where only the topic's own order is known. */
const userNames = fc
  .array(fc.constantFrom("u", "u", "u", "x", "v"), { minLength: 1, maxLength: 10, size: "max" })
  .map((users) => users.map((user, index) => (user === "x" ? `u${index}b` : `${user}${index}`)));

type Script = readonly { kind: Kind; number: number; answer: Answer }[];

/** Plays the script, then lets all come to an end. Returns which events ended, in order, and how often a user was called twice at a time. */
const play = async (names: readonly string[], script: Script) => {
  const world = createModelWorld(names);
  const doers: Record<Kind, (step: Script[number]) => void | Promise<void>> = {
    source: ({ number }) => world.readFrom(number % 2),
    read: ({ number }) => world.readFrom(2 + (number % 3)),
    answer: ({ number, answer }) => world.answer(number, answer),
    acknowledge: ({ number }) => world.acknowledge(number),
    reopen: ({ number }) => world.reopen(number % 2 === 0 ? "open" : "probe"),
    fire: world.fire,
    failRound: world.failRound,
    spill: ({ number }) => world.spill(number),
    copy: ({ number }) => world.copy(number),
    goOn: world.goOn,
    commit: world.commit,
    handOver: world.handOver,
    crash: world.begin,
    failCalls: world.failCalls,
    readAll: ({ number }) => world.readAll(number),
    newest: world.newest,
    tooLarge: ({ number }) => world.tooLarge(number),
  };
  let overlaps = 0;
  for (const step of script) {
    await doers[step.kind](step);
    await world.settleDown();
    const users = world.rig.calls.map(({ body }) => body.slice(0, 1));
    if (new Set(users).size < users.length) overlaps++;
  }
  await world.drain();
  return { ended: world.rig.ended.map(({ name }) => name), overlaps, held: world.rig.budget.records + world.parked() };
};

const byUser = (names: readonly string[]) =>
  Object.groupBy(names, (name) => `${name.slice(0, 1)} in ${name.endsWith("b") ? "the second" : "the first"}`);

describe("the pipeline, over the whole life of each event", () => {
  test("ends each event once, each user's in source order and one at a time, whatever is answered, over hand-overs", async () => {
    await fc.assert(
      fc.asyncProperty(
        userNames,
        scriptOf((kind) => kind !== "crash" && kind !== "copy"),
        async (names, script) => {
          const { ended, overlaps, held } = await play(names, script);
          expect(byUser(ended)).toEqual(byUser(names));
          expect([overlaps, held]).toEqual([0, 0]);
        },
      ),
      { numRuns: 10_000 },
    );
  }, 60_000);

  test("loses nothing in crashes, and ends each user's events for the first time in source order", async () => {
    await fc.assert(
      fc.asyncProperty(
        userNames,
        scriptOf(() => true),
        async (names, script) => {
          const { ended, held } = await play(names, script);
          expect(byUser([...new Set(ended)])).toEqual(byUser(names));
          expect(held).toBe(0);
        },
      ),
      { numRuns: 10_000 },
    );
  }, 60_000);
});
