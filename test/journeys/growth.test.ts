import type { Message } from "kafkajs";
import { describe } from "vitest";

import { createTopics } from "./cluster.ts";
import { until } from "./service.ts";
import { type Story, deliveredIds, journey, patient, tracks } from "./story.ts";

/** Growth is noticed by two clients, each of which looks every 10 s. */
const slow = { timeout: 50_000, interval: 100 };

const on = (partition: number, messages: Message[]): Message[] =>
  messages.map((message) => ({ ...message, partition }));

/** Resolves when the broker knows the new partitions: until then kafkajs sends nothing to them, and says that it has. */
const grow = async ({ kafka }: Story, topic: string, count: number): Promise<void> => {
  const admin = kafka.admin();
  await admin.connect();
  await admin.createPartitions({ topicPartitions: [{ topic, count }] });
  await until(`${topic} has ${count} partitions`, async () => {
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
    const led = topics[0]?.partitions.filter(({ leader }) => leader >= 0);
    return led?.length === count ? true : undefined;
  });
  await admin.disconnect();
};

/** By a producer of its own, which knows how many partitions there are now. */
const produceTo = async ({ kafka }: Story, topic: string, messages: Message[]): Promise<void> => {
  const producer = kafka.producer();
  await producer.connect();
  await producer.send({ topic, messages });
  await producer.disconnect();
};

const partitionsOf = async ({ kafka }: Story, topics: string[]): Promise<number[]> => {
  const admin = kafka.admin();
  await admin.connect();
  const { topics: found } = await admin.fetchTopicMetadata({ topics });
  await admin.disconnect();
  return topics.map((topic) => found.find(({ name }) => name === topic)?.partitions.length ?? 0);
};

/** A source of 2 partitions, and the retry topics of the same size, made by an operator. */
const smallTopics = async (story: Story) => {
  const source = `${story.source}-small`;
  const ours = [story.tier("1s"), story.tier("3s"), story.deadLetters];
  await createTopics(
    story.kafka,
    [source, ...ours].map((topic) => ({ topic, numPartitions: 2 })),
  );
  return { source, ours };
};

describe.concurrent("partitions that grow", () => {
  /*
   * The source grows from 2 to 5 partitions while the service runs, and events are written to the new ones at once. The service makes
   * its retry topics as large and reads the new partitions from their beginning, although START_FROM is latest; a failing event of a
   * new partition waits in its retry topic like any other.
   */
  journey("the service grows its own topics and reads the new partitions", async ({ story, expect }) => {
    const { source, ours } = await smallTopics(story);
    const service = await story.start({ SOURCE_TOPICS: source, START_FROM: "latest" });
    await produceTo(story, source, on(0, tracks("u0", 1, 1)));
    await expect.poll(() => deliveredIds(story), patient).toEqual(["u0-1"]);
    story.standin.faults.add({ kind: "status", status: 500, count: 3, match: { messageId: "u4-1" } });
    await grow(story, source, 5);
    await produceTo(story, source, [...on(2, tracks("u2", 1, 2)), ...on(4, tracks("u4", 1, 2))]);
    await expect.poll(() => story.standin.ledger().distinct, slow).toBe(5);
    expect(await partitionsOf(story, ours)).toEqual([5, 5, 2]);
    expect(story.standin.ledger()).toMatchObject({ duplicates: 0, inversions: 0 });
    const line = { level: "info", msg: expect.stringMatching(/^Added partitions to retry topics/) };
    expect(service.logs).toContainEqual(expect.objectContaining({ ...line, topics: ours.slice(0, 2) }));
    await expect.poll(() => service.metric("gainstream_partitions_unread", { topic: source }), slow).toBe(0);
    expect(await service.stop()).toBe(0);
  });

  /*
   * The same with CREATE_TOPICS=false: the service continues with the old partitions, and says in the log, in /readyz and in a metric
   * what is missing, with the commands. When somebody has run them, the new partitions are read.
   */
  journey(
    "what may not grow by itself is named with the command, and read once it has grown",
    async ({ story, expect }) => {
      const { source, ours } = await smallTopics(story);
      const service = await story.start({ SOURCE_TOPICS: source, CREATE_TOPICS: "false" });
      await grow(story, source, 5);
      await produceTo(story, source, [...on(1, tracks("u1", 1, 1)), ...on(3, tracks("u3", 1, 1))]);
      await expect.poll(() => service.metric("gainstream_partitions_unread", { topic: source }), slow).toBe(3);
      const commands = ours.slice(0, 2).map((topic) => `--alter --topic ${topic} --partitions 5`);
      const warnings = [expect.stringMatching(`^3 of the partitions of ${source} .*${commands[0]}; .*${commands[1]}$`)];
      await expect.poll(() => service.readiness(), patient).toEqual({ ok: true, reasons: [], holds: [], warnings });
      // kafkajs has words of its own for a topic that has grown, sooner or later.
      const said = service.logs.filter(({ level, kafka }) => level === "warn" && kafka === undefined);
      expect(said).toMatchObject([{ msg: warnings[0] }]);
      await expect.poll(() => deliveredIds(story), patient).toEqual(["u1-1"]);
      for (const topic of ours.slice(0, 2)) await grow(story, topic, 5);
      await expect.poll(() => deliveredIds(story), slow).toEqual(["u1-1", "u3-1"]);
      await expect.poll(() => service.readiness(), slow).toEqual({ ok: true, reasons: [], holds: [] });
    },
  );

  /*
   * A second source has more partitions than the first. The retry topics are made as large as the larger one, and both are read.
   */
  journey("sources may have different numbers of partitions", async ({ story, expect }) => {
    const other = `${story.source}-2`;
    await createTopics(story.kafka, [{ topic: other, numPartitions: 5 }]);
    await story.start({ SOURCE_TOPICS: `${story.source},${other}` });
    await story.produce(on(2, tracks("u1", 1, 1)));
    await story.produce(on(4, tracks("u2", 1, 1)), other);
    await expect.poll(() => new Set(deliveredIds(story)), patient).toEqual(new Set(["u1-1", "u2-1"]));
    expect(await partitionsOf(story, [story.tier("1s"), story.tier("3s"), story.deadLetters])).toEqual([5, 5, 5]);
  });

  /*
   * The operator wants to be asked before anything is passed over or read anew: a group that has committed nothing does not start. After a
   * first start with latest, which leaves the old events alone, it goes on where it was.
   */
  journey("START_FROM sets where a new group starts, and only that", async ({ story, expect }) => {
    await story.produce(tracks("old", 1, 1));
    const refused = await story.launch({ START_FROM: "fail" });
    expect(await refused.exit).toBe(1);
    const sentence = `The group has no committed offset for ${story.source}/0.*set START_FROM to earliest or latest`;
    expect(refused.logs.at(-1)).toMatchObject({ level: "fatal", msg: expect.stringMatching(sentence) });
    const first = await story.start({ START_FROM: "latest" });
    await story.produce(tracks("u1", 1, 1));
    await expect.poll(() => deliveredIds(story), patient).toEqual(["u1-1"]);
    expect(await first.stop()).toBe(0);
    await story.produce(tracks("u1", 2, 1));
    await story.start({ START_FROM: "fail" });
    await expect.poll(() => deliveredIds(story), patient).toEqual(["u1-1", "u1-2"]);
  });
});
