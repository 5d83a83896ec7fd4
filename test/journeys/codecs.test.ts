import { AsyncLocalStorage } from "node:async_hooks";

import kafkajs from "kafkajs";
import { afterAll, beforeAll, describe, inject } from "vitest";

import type { JsonObject } from "../../src/core/json/json.ts";
import { codecNames } from "../../src/kafka/codecs/codec.ts";
import { compressionType, registerCodecs } from "../../src/kafka/codecs/codecs.ts";
import { createTopics, journeyKafka, readTopic } from "./cluster.ts";
import { type JavaProducer, type JavaRecord, startJavaProducer } from "./java-producer.ts";
import { type Story, deliveredIds, journey, patient, startOwnBroker, textOf, trackEvent, tracks } from "./story.ts";

let java: JavaProducer;
beforeAll(async () => {
  java = await startJavaProducer(inject("brokers"));
});
afterAll(() => java.close());

type Codec = { decompress: (packed: Buffer) => Promise<Buffer> };

/** Records the codec of each batch that is decompressed. */
const unpacked = new AsyncLocalStorage<string[]>();

const noteCodecs = (): void => {
  registerCodecs();
  const known = kafkajs.CompressionCodecs as unknown as Record<number, () => Codec>;
  for (const name of codecNames) {
    const codec = known[compressionType(name)]?.();
    if (codec)
      known[compressionType(name)] = () => ({
        ...codec,
        decompress: (packed) => {
          unpacked.getStore()?.push(name);
          return codec.decompress(packed);
        },
      });
  }
};

/** The codecs of the compressed batches of a topic. */
const codecsIn = async (topic: string, brokers = inject("brokers")): Promise<string[]> => {
  const seen: string[] = [];
  await unpacked.run(seen, () => readTopic(journeyKafka(brokers), topic));
  return seen;
};

const makeTopics = ({ kafka }: Story, names: readonly string[], codec: string): Promise<void> =>
  createTopics(
    kafka,
    names.map((topic) => ({
      topic,
      numPartitions: 3,
      configEntries: [{ name: "compression.type", value: codec }],
    })),
  );

const failFor = ({ standin }: Story, messageId: string, count: number): void => {
  standin.faults.add({ kind: "status", status: 500, count, match: { messageId } });
};

const padded = (userId: string, n: number, text: string): JsonObject =>
  trackEvent(userId, n, { properties: { note: text } });

describe.concurrent("codecs", () => {
  beforeAll(noteCodecs);

  /*
   * Apache Kafka's own producer writes to one partition and changes its codec with every batch. Some batches are larger
   * than a block of snappy or lz4. Every event is delivered once and in order, and the partition is committed to its
   * end.
   */
  journey("every codec of Java's producer is read, also mixed in one partition", async ({ story, expect }) => {
    const service = await story.start();
    const codecs = ["none", ...codecNames];
    const batches = [...codecs, ...codecs].map((codec, at) => ({ codec, count: at < codecs.length ? 2 : 10 }));
    let n = 0;
    const long = "Gainsight reads what Segment writes. ".repeat(150);
    const to = { topic: story.source, partition: 0 };
    const records: JavaRecord[] = [];
    for (const { codec, count } of batches)
      for (const last = n + count; n < last; n++)
        for (const key of ["u1", "u2"])
          records.push({ ...to, codec, key, value: JSON.stringify(padded(key, n + 1, long)) });
    await java.write(records);
    await expect.poll(() => story.standin.stats().total, patient).toBe(n * 2);
    for (const user of ["u1", "u2"])
      expect(deliveredIds(story, user)).toEqual(Array.from({ length: n }, (_, index) => `${user}-${index + 1}`));
    expect(story.standin.ledger()).toMatchObject({ distinct: n * 2, duplicates: 0, inversions: 0 });
    await expect.poll(async () => (await story.committed())[0], patient).toBe(n * 2);
    expect((await codecsIn(story.source)).sort()).toEqual([...codecNames, ...codecNames].sort());
    expect(service.logs.filter(({ level }) => level !== "info")).toEqual([]);
  });

  /*
   * A record with a list of 1,000 events has 1.5 MB, more than the broker accepts, but Java's producer has compressed
   * it to a tenth. One of its events fails, so the record waits in a retry topic. The service compresses it there too,
   * although no codec is configured. All events are delivered, and there is no dead letter.
   */
  journey("a record that fits only compressed waits in a retry topic and is delivered", async ({ story, expect }) => {
    const count = 1_000;
    const note = "Gainsight reads what Segment writes. ".repeat(35);
    const list = Array.from({ length: count }, (_, index) => padded(`u${index + 1}`, 1, note));
    const value = JSON.stringify(list);
    expect(value.length).toBeGreaterThan(1_400_000);
    failFor(story, "u500-1", 3);
    const service = await story.start();
    await java.write([{ topic: story.source, partition: 1, codec: "gzip", key: "list", value }]);
    await expect.poll(() => story.standin.ledger().distinct, patient).toBe(count);
    expect(story.standin.ledger()).toMatchObject({ duplicates: 0, inversions: 0 });
    await expect.poll(async () => (await story.committed(story.retryTopic("1s")))[1], patient).toBe(1);
    expect(await codecsIn(story.retryTopic("1s"))).toEqual(["gzip"]);
    expect(await story.read(story.deadLetters)).toEqual([]);
    expect(service.logs.filter(({ level, reason }) => level !== "info" && reason !== "server_error")).toEqual([]);
  });

  /*
   * An operator has created all topics with `compression.type`, so the broker compresses every batch with that codec.
   * One event fails and waits in the retry topic; it is read from there and delivered. Another event is rejected and is
   * in the dead-letter topic.
   */
  journey("a topic's own codec is read, from the source and from a retry topic", async ({ story, expect }) => {
    const source = `${story.source}-zstd`;
    await makeTopics(story, [source], "zstd");
    await makeTopics(story, [story.retryTopic("1s"), story.retryTopic("3s")], "lz4");
    await makeTopics(story, [story.deadLetters], "snappy");
    failFor(story, "u1-1", 3);
    story.standin.faults.add({ kind: "status", status: 400, match: { messageId: "u2-1" } });
    await story.start({ SOURCE_TOPICS: source });
    await story.produce([...tracks("u1", 1, 2), ...tracks("u2", 1, 2)], source);
    await expect.poll(() => deliveredIds(story, "u1"), patient).toEqual(["u1-1", "u1-2"]);
    await expect.poll(() => deliveredIds(story, "u2"), patient).toEqual(["u2-2"]);
    expect(new Set(await codecsIn(source))).toEqual(new Set(["zstd"]));
    expect(new Set(await codecsIn(story.retryTopic("1s")))).toEqual(new Set(["lz4"]));
    expect(await codecsIn(story.deadLetters)).toEqual(["snappy"]);
    const [letter] = await story.read(story.deadLetters);
    expect(textOf(JSON.parse(String(letter?.value)), "messageId")).toBe("u2-1");
  });

  /*
   * The broker compresses with zstd unless a topic says otherwise. The service writes with snappy, and its own topics
   * keep the producer's codec. An event fails, waits in the retry topic, and is delivered before the next event of its
   * user.
   */
  journey(
    "the broker's default codec is read, and the service writes with its configured codec",
    async ({ story, expect }) => {
      const { brokers } = await startOwnBroker(story, tracks("u1", 1, 3), { "compression.type": "zstd" });
      failFor(story, "u1-1", 3);
      await story.start({ KAFKA_BROKERS: brokers, KAFKA_COMPRESSION: "snappy" });
      await expect.poll(() => deliveredIds(story), patient).toEqual(["u1-1", "u1-2", "u1-3"]);
      expect(new Set(await codecsIn(story.source, brokers))).toEqual(new Set(["zstd"]));
      expect(new Set(await codecsIn(story.retryTopic("1s"), brokers))).toEqual(new Set(["snappy"]));
    },
  );
});
