import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import type { SourcePosition } from "../../src/core/outcome/headers.ts";
import { type Answer, type EventKind, createPipelineWorld, keylessUser } from "./world.ts";

type World = ReturnType<typeof createPipelineWorld>;

const eventKinds: readonly EventKind[] = [
  "track",
  "track",
  "track",
  "repeat",
  "repeat",
  "page",
  "invalid",
  "unreadable",
  "list",
  "schema",
  "schema",
];
const answers: readonly Answer[] = [
  "deliver",
  "deliver",
  "deliver",
  "deliver",
  "fail",
  "fail",
  "fail",
  "dead",
  "throttled",
];

interface Step {
  readonly kind: Kind;
  readonly number: number;
  readonly event: EventKind;
  readonly answer: Answer;
}

const acts = {
  produce: ({ acts: { produce } }: World, { event, number }: Step) => produce(event, number),
  produceMany: ({ acts: { produce } }: World, { event, number }: Step) => {
    for (let more = 0; more < 5; more++) produce(event, number + (number % 2) * more);
  },
  fetch: ({ acts: { fetch } }: World, { number }: Step) => fetch(number),
  answer: ({ acts: { answer } }: World, step: Step) => answer(step.number, step.answer),
  failAll: ({ acts: { answer } }: World) => {
    for (let call = 0; call < 3; call++) answer(0, "fail");
  },
  deliverAll: ({ acts: { answer } }: World) => {
    for (let call = 0; call < 3; call++) answer(0, "deliver");
  },
  acknowledge: ({ acts: { write } }: World, { number }: Step) => write(number, "acknowledged"),
  loseAnswer: ({ acts: { write } }: World, { number }: Step) => write(number, "lost"),
  registry: ({ acts: { registryAnswers } }: World, { number }: Step) =>
    registryAnswers((["known", "unknown", "unknown", "down"] as const)[number % 4] ?? "known"),
  register: ({ acts: { registerAll } }: World) => registerAll(),
  advance: ({ acts: { advance } }: World, { number }: Step) => advance([100, 250, 1_100, 3_100][number % 4] ?? 0),
  probe: ({ acts: { probe } }: World) => probe(),
  commit: ({ acts: { commit } }: World) => commit(),
  failCommit: ({ acts: { failCommit } }: World) => failCommit(),
  rejoin: ({ acts: { join } }: World) => join([0, 1]),
  giveAway: ({ acts: { join } }: World, { number }: Step) => join(number % 2 === 0 ? [0] : [1]),
  crash: ({ acts: { crash } }: World) => crash(),
  pause: ({ acts: { setPaused } }: World, { number }: Step) => setPaused(number % 3 === 0),
  mayStart: ({ acts: { setMayStart } }: World, { number }: Step) => setMayStart(number % 3 > 0),
  settings: ({ acts: { setEvents } }: World, { number }: Step) => setEvents(number % 3 === 0 ? ["Common"] : []),
  changeLimit: ({ acts: { changeLimit } }: World) => changeLimit(),
  spill: ({ acts: { spill } }: World) => spill(),
  tooLarge: ({ acts: { tooLarge } }: World) => tooLarge(),
} as const;
type Kind = keyof typeof acts;

const weights: Partial<Record<Kind, number>> = {
  produce: 5,
  produceMany: 4,
  fetch: 8,
  answer: 6,
  deliverAll: 4,
  failAll: 4,
  acknowledge: 6,
  advance: 6,
  registry: 2,
  commit: 2,
};

const scriptOf = (isAllowed: (kind: Kind) => boolean) => {
  const kinds = (Object.keys(acts) as Kind[]).filter(isAllowed);
  const step = fc.record({
    kind: fc.constantFrom(...kinds.flatMap((kind) => Array.from({ length: weights[kind] ?? 1 }, () => kind))),
    number: fc.nat(30),
    event: fc.constantFrom(...eventKinds),
    answer: fc.constantFrom(...answers),
  });
  return fc.array(step, { minLength: 10, maxLength: 90, size: "max" });
};

/** Steps in words: `fetch`, or with the kind of an event or a number `produce:list`, `advance:3`. */
const stepsOf = (words: string): readonly Step[] =>
  words.split(" ").map((word) => {
    const [kind, more = "0"] = word.split(":");
    const number = Number.isNaN(Number(more)) ? 0 : Number(more);
    const event = eventKinds.find((one) => one === more) ?? "track";
    return { kind: kind as Kind, number, event, answer: "deliver" };
  });

/** What chance seldom comes to. */
const examples: [readonly Step[]][] = [
  // An invalid event with the messageId of a valid one goes to a retry topic while the valid one is called.
  [stepsOf("produceMany:invalid produce:repeat fetch failAll produce advance produce produce produce produce failAll")],
  // The write to a retry topic is acknowledged after the partition has been assigned again.
  [stepsOf("produce:track fetch failAll advance:0 failAll rejoin advance:3 advance:3 advance:3 acknowledge fetch")],
  // A schema comes late, and the copy is delivered before the write of it is acknowledged.
  [stepsOf("produce:schema fetch registry:1 fetch register advance:2 fetch deliverAll acknowledge fetch")],
  // A schema is registered late, and the copy turns out to belong to a user with a call in flight.
  [stepsOf("produceMany:schema fetch registry:1 fetch fetch registry:0 advance:2 register fetch fetch")],
];

/** Plays the script, then completes all events. Checks after every step that nothing waits without a reason. */
const play = async (script: readonly Step[]): Promise<World> => {
  const world = createPipelineWorld();
  await world.settleDown();
  for (const step of script) {
    acts[step.kind](world, step);
    await world.settleDown();
    expect(world.faults(), `after ${step.kind}`).toEqual([]);
  }
  await world.drain();
  expect(world.faults()).toEqual([]);
  expect(world.overlaps, "calls of one user at the same time").toBe(0);
  const { budget, ingest } = world.member;
  expect([budget.records, budget.bytes], "the budget at the end").toEqual([0, 0]);
  expect(ingest.openPartitions.map(({ backlog }) => backlog.userCount)).toEqual(ingest.openPartitions.map(() => 0));
  return world;
};

/** Every event of the source by its id, and how often each ended. */
const endsOf = ({ ended }: World): Map<string, number> => {
  const ends = new Map<string, number>();
  for (const { parsed } of ended)
    ends.set(parsed.retryState.source.id, (ends.get(parsed.retryState.source.id) ?? 0) + 1);
  return ends;
};

const expectedIds = ({ produced, ended }: World): string[] => {
  const next = new Map<number, number>();
  const lists = new Set(
    ended.flatMap(({ parsed: { retryState } }) =>
      retryState.source.index === undefined ? [] : [retryState.source.id],
    ),
  );
  return produced.flatMap(({ topicPartition, ids }) => {
    const offset = next.get(topicPartition.partition) ?? 0;
    next.set(topicPartition.partition, offset + 1);
    const id = `${topicPartition.topic}-${topicPartition.partition}-${offset}`;
    return ids.length > 1 || lists.has(`${id}#0`) ? ids.map((_, index) => `${id}#${index}`) : [id];
  });
};

/** By user, the source offsets of the events in the order of their first completion. Events skipped at once have no order. */
const orderOf = ({ ended }: World): Record<string, readonly number[]> => {
  const first = new Map(ended.toReversed().map((one) => [one.parsed.retryState.source.id, one]));
  const inOrder = [...new Set(ended.map(({ parsed }) => parsed.retryState.source.id))]
    .flatMap((id) => first.get(id) ?? [])
    .filter(({ parsed, outcome }) => outcome.kind !== "skipped" && parsed.user !== keylessUser);
  const byUser = Object.groupBy(inOrder, ({ parsed }) => parsed.user);
  const placeOf = ({ offset, index = 0 }: SourcePosition): number => Number(offset) * 100 + index;
  return Object.fromEntries(
    Object.entries(byUser).map(([user, list = []]) => [
      user,
      list.map(({ parsed }) => placeOf(parsed.retryState.source)),
    ]),
  );
};

const ascending = (numbers: readonly number[]): number[] => numbers.toSorted((a, b) => a - b);

const expectOrder = (world: World): void => {
  for (const [user, numbers] of Object.entries(orderOf(world)))
    expect(numbers, `of ${user}`).toEqual(ascending(numbers));
};

const runs = 1_500;

describe("the pipeline from fetch to commit", () => {
  test("completes every fetched event once, one call of a user at a time and in order, and nothing waits without a reason", async () => {
    await fc.assert(
      fc.asyncProperty(
        scriptOf((kind) => kind !== "crash" && kind !== "loseAnswer" && kind !== "failCommit"),
        async (script) => {
          const world = await play(script);
          const ends = endsOf(world);
          expect([...ends.keys()].toSorted()).toEqual(expectedIds(world).toSorted());
          expectOrder(world);
          if (world.hasLostWrites) return;
          expect([...ends].filter(([, count]) => count !== 1)).toEqual([]);
          const deliveries = world.taken.map(({ messageId, tenure }) => `${messageId} in tenure ${tenure}`);
          expect(new Set(deliveries).size, "delivered twice").toBe(deliveries.length);
        },
      ),
      { numRuns: runs, examples },
    );
  }, 120_000);

  test("loses nothing in crashes, lost acknowledgements and failed commits, and keeps the order in which events complete for the first time", async () => {
    await fc.assert(
      fc.asyncProperty(
        scriptOf(() => true),
        async (script) => {
          const world = await play(script);
          expect([...endsOf(world).keys()].toSorted()).toEqual(expectedIds(world).toSorted());
          expectOrder(world);
        },
      ),
      { numRuns: runs, examples },
    );
  }, 120_000);

  test("a member that leaves reads nothing while its last commit is in flight", async () => {
    const world = createPipelineWorld();
    await world.settleDown();
    world.acts.produce("track", 0);
    world.acts.fetch(8);
    await world.settleDown();
    world.acts.answer(0, "deliver");
    const answered = Promise.withResolvers<void>();
    world.member.consumer.slow.until = answered.promise;
    const leaving = world.member.rebalanceHandler.leave();
    await world.settleDown();
    // A page event is skipped and completed at once. After the last commit nothing would commit it.
    world.acts.produce("page", 0);
    world.acts.fetch(8);
    await world.settleDown();
    answered.resolve();
    await leaving;
    expect(world.ended).toHaveLength(1);
    expect(world.member.commits.isAllCommitted).toBe(true);
    expect(world.faults()).toEqual([]);
  });
});
