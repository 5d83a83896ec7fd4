import type { Message } from "kafkajs";
import { describe } from "vitest";

import { createTopics } from "./cluster.ts";
import { until } from "./service.ts";
import { type Story, deliveredIds, journey, patient, tracks } from "./story.ts";

/** Two clients must notice the growth, and each checks every 10 s. */
const slow = { timeout: 50_000, interval: 100 };

const on = (partition: number, messages: Message[]): Message[] =>
  messages.map((message) => ({ ...message, partition }));

/** Resolves when the broker knows the new partitions. Until then kafkajs sends nothing to them but reports success. */
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

/** Sends with a new producer, which knows the current number of partitions. */
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

/** Creates a source with 2 partitions, and the retry topics with as many, as an operator would. */
const smallTopics = async (story: Story) => {
  const source = `${story.source}-small`;
  const ours = [story.retryTopic("1s"), story.retryTopic("3s"), story.deadLetters];
  await createTopics(
    story.kafka,
    [source, ...ours].map((topic) => ({ topic, numPartitions: 2 })),
  );
  return { source, ours };
};

describe.concurrent("partitions that grow", () => {
  /*
   * The source grows from 2 to 5 partitions while the service runs, and events are written to the new partitions at
   * once. The service adds partitions to its retry topics and reads the new source partitions from their beginning,
   * although START_FROM is latest. A failing event of a new partition waits in a retry topic like any other.
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
   * As before, but with CREATE_TOPICS=false. The service continues with the old partitions, and names the missing
   * partitions with the commands in the log, in /readyz and in a metric. When an operator has run the commands, the
   * service reads the new partitions.
   */
  journey(
    "topics that the service may not grow are named with the command, and the new partitions are read when they have grown",
    async ({ story, expect }) => {
      const { source, ours } = await smallTopics(story);
      const service = await story.start({ SOURCE_TOPICS: source, CREATE_TOPICS: "false" });
      await grow(story, source, 5);
      await produceTo(story, source, [...on(1, tracks("u1", 1, 1)), ...on(3, tracks("u3", 1, 1))]);
      await expect.poll(() => service.metric("gainstream_partitions_unread", { topic: source }), slow).toBe(3);
      const commands = ours.slice(0, 2).map((topic) => `--alter --topic ${topic} --partitions 5`);
      const warnings = [expect.stringMatching(`^3 partitions of ${source} .*${commands[0]}; .*${commands[1]}$`)];
      await expect.poll(() => service.readiness(), patient).toEqual({ ok: true, reasons: [], holds: [], warnings });
      // kafkajs writes its own log lines about a topic that has grown.
      const said = service.logs.filter(({ level, kafka }) => level === "warn" && kafka === undefined);
      expect(said).toMatchObject([{ msg: warnings[0] }]);
      await expect.poll(() => deliveredIds(story), patient).toEqual(["u1-1"]);
      for (const topic of ours.slice(0, 2)) await grow(story, topic, 5);
      await expect.poll(() => deliveredIds(story), slow).toEqual(["u1-1", "u3-1"]);
      await expect.poll(() => service.readiness(), slow).toEqual({ ok: true, reasons: [], holds: [] });
    },
  );

  /*
   * A second source has more partitions than the first. The retry topics get as many partitions as the larger source,
   * and both sources are read.
   */
  journey("sources may have different numbers of partitions", async ({ story, expect }) => {
    const other = `${story.source}-2`;
    await createTopics(story.kafka, [{ topic: other, numPartitions: 5 }]);
    await story.start({ SOURCE_TOPICS: `${story.source},${other}` });
    await story.produce(on(2, tracks("u1", 1, 1)));
    await story.produce(on(4, tracks("u2", 1, 1)), other);
    await expect.poll(() => new Set(deliveredIds(story)), patient).toEqual(new Set(["u1-1", "u2-1"]));
    expect(await partitionsOf(story, [story.retryTopic("1s"), story.retryTopic("3s"), story.deadLetters])).toEqual([
      5, 5, 5,
    ]);
  });

  /*
   * With START_FROM=fail a group without committed offsets does not start, so nothing is skipped or read again by
   * accident. After a first start with latest, which skips the old events, a restart continues at the committed
   * offsets.
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
