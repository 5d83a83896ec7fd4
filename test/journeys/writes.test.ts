import { fileURLToPath } from "node:url";

import kafkajs, { type Admin } from "kafkajs";
import { describe } from "vitest";

import { readConfig } from "../../src/config/env/read-config.ts";
import { originOf } from "../../src/core/outcome/headers.ts";
import { createKafka, noRetry } from "../../src/kafka/client.ts";
import { createLog } from "../../src/ops/log.ts";
import { createMetrics } from "../../src/ops/metrics.ts";
import { createWriting } from "../../src/service/compose-publisher.ts";
import { createTopics } from "./cluster.ts";
import { type Story, asJson, deliveredIds, journey, patient, trackEvent, tracks } from "./story.ts";

const partitions = 3;
const hourMs = 3_600_000;
const skew = fileURLToPath(new URL("../../bench/drill/skew.ts", import.meta.url));

const withAdmin = async <T>({ kafka }: Pick<Story, "kafka">, ask: (admin: Admin) => Promise<T>): Promise<T> => {
  const admin = kafka.admin();
  await admin.connect();
  try {
    return await ask(admin);
  } finally {
    await admin.disconnect();
  }
};

const configure = (story: Story, topic: string, entries: Readonly<Record<string, string>>) =>
  withAdmin(story, (admin) =>
    admin.alterConfigs({
      validateOnly: false,
      resources: [
        {
          type: kafkajs.ConfigResourceTypes.TOPIC,
          name: topic,
          configEntries: Object.entries(entries).map(([name, value]) => ({ name, value })),
        },
      ],
    }),
  );

/** What Kafka itself sets since 4.0; before, it takes any time. */
const configEntries = [{ name: "message.timestamp.after.max.ms", value: "3600000" }];

/** The topics that the service would make otherwise: here the test decides which there are. */
const makeOurs = (story: Story, except: readonly string[] = []): Promise<void> =>
  createTopics(
    story.kafka,
    [story.tier("1s"), story.tier("3s"), story.deadLetters]
      .filter((topic) => !except.includes(topic))
      .map((topic) => ({ topic, numPartitions: partitions, configEntries })),
  );

const failFor = ({ standin }: Story, messageId: string, status: number, count: number): void => {
  standin.faults.add({ kind: "status", status, count, match: { messageId } });
};

const sentenceOn = (topic: string): RegExp => new RegExp(`^Cannot write to ${topic}: `);

describe.concurrent("writes to Kafka", () => {
  /*
   * Somebody deletes the dead-letter topic while the service runs, and then an event is rejected. The service names the topic
   * and the reason, its user waits, and all others go on, also by way of the retry topics. When the topic is there again the
   * event comes to rest in it, and the hold ends by itself.
   */
  journey("a deleted dead-letter topic holds nobody but who has to go there", async ({ story, expect }) => {
    await makeOurs(story);
    const service = await story.start({ CREATE_TOPICS: "false" });
    failFor(story, "u0-1", 400, 1);
    await story.produce(tracks("u0", 1, 1));
    await expect.poll(() => story.read(story.deadLetters).then(({ length }) => length), patient).toBe(1);
    await withAdmin(story, (admin) => admin.deleteTopics({ topics: [story.deadLetters] }));

    failFor(story, "u1-1", 400, 1);
    failFor(story, "u2-1", 500, 3);
    await story.produce([...tracks("u1", 1, 2), ...tracks("u2", 1, 2), ...tracks("u3", 1, 2)]);
    const reasons = [`These topics do not exist: ${story.deadLetters}`];
    await expect.poll(() => service.readiness(), patient).toEqual({ ok: false, reasons, holds: ["kafka_unwritable"] });
    expect((await service.status()).holds).toEqual(["kafka_unwritable"]);
    expect(await service.metric("gainstream_hold", { reason: "kafka_unwritable" })).toBe(1);
    expect(await service.metric("gainstream_kafka_write_failures_total", { topic: story.deadLetters })).toBeGreaterThan(
      1,
    );
    await expect.poll(() => deliveredIds(story, "u2"), patient).toEqual(["u2-1", "u2-2"]);
    expect(deliveredIds(story, "u3")).toEqual(["u3-1", "u3-2"]);
    expect(deliveredIds(story, "u1")).toEqual([]);

    await makeOurs(story, [story.tier("1s"), story.tier("3s")]);
    await expect.poll(() => deliveredIds(story, "u1"), patient).toEqual(["u1-2"]);
    await expect.poll(() => service.readiness(), patient).toEqual({ ok: true, reasons: [], holds: [] });
    expect((await story.read(story.deadLetters)).map(({ text }) => text["gainstream-reason"])).toEqual(["rejected"]);
    const told = service.logs.filter(({ hold }) => hold === "kafka_unwritable");
    expect(told).toMatchObject([
      { level: "warn", error: expect.stringMatching(sentenceOn(story.deadLetters)) },
      { level: "info", heldMs: expect.any(Number) },
    ]);
    const errors = service.logs.filter(({ level }) => level === "error");
    expect(errors).toMatchObject([{ msg: "These topics do not exist any more", topics: [story.deadLetters] }]);
    expect(await service.stop()).toBe(0);
    expect((await story.committed()).reduce((sum, offset) => sum + Math.max(0, offset), 0)).toBe(7);
  });

  /*
   * An operator makes a retry topic compacted, and it refuses records without a key from then on. The event that has to go
   * there waits, named by the hold; dead letters are still written. When the topic takes records again, the event goes its way.
   */
  journey(
    "a retry topic that refuses a record is named, and dead letters are still written",
    async ({ story, expect }) => {
      await makeOurs(story);
      await configure(story, story.tier("1s"), { "cleanup.policy": "delete", "retention.ms": "-1" });
      const service = await story.start({ CREATE_TOPICS: "false" });
      await configure(story, story.tier("1s"), { "cleanup.policy": "compact" });
      failFor(story, "u1-1", 500, 3);
      failFor(story, "u2-1", 400, 1);
      await story.produce([{ ...asJson(trackEvent("u1", 1)), key: null }]);
      await expect.poll(() => service.readiness().then(({ holds }) => holds), patient).toEqual(["kafka_unwritable"]);
      await story.produce(tracks("u2", 1, 2));
      await expect.poll(() => deliveredIds(story), patient).toEqual(["u2-2"]);
      expect(await story.read(story.deadLetters)).toHaveLength(1);
      expect(await story.read(story.tier("1s"))).toEqual([]);
      await configure(story, story.tier("1s"), { "cleanup.policy": "delete", "retention.ms": "-1" });
      await expect.poll(() => deliveredIds(story, "u1"), patient).toEqual(["u1-1"]);
      await expect.poll(() => service.readiness().then(({ holds }) => holds), patient).toEqual([]);
      expect(service.logs.filter(({ hold }) => hold === "kafka_unwritable")).toMatchObject([
        { error: expect.stringMatching(sentenceOn(story.tier("1s"))) },
        { level: "info" },
      ]);
    },
  );

  /*
   * The service runs on a machine whose clock is three hours ahead, further than Kafka lets a record's time be. What fails
   * goes into the retry topic, and what is rejected to the dead letters, without a time. The log says so once.
   */
  journey("a clock that is three hours ahead does not stop writes", async ({ story, expect }) => {
    await makeOurs(story);
    const env = { NODE_OPTIONS: `--import ${skew}`, DRILL_SKEW_MS: String(3 * hourMs), CREATE_TOPICS: "false" };
    const service = await story.start(env);
    failFor(story, "u1-1", 500, 3);
    failFor(story, "u2-1", 400, 1);
    const timestamp = Date.now() - hourMs / 2;
    const events = [trackEvent("u1", 1), trackEvent("u1", 2), trackEvent("u2", 1), trackEvent("u2", 2)];
    await story.produce(events.map((event) => Object.assign(asJson(event), { timestamp: String(timestamp) })));
    await expect.poll(() => deliveredIds(story, "u1"), patient).toEqual(["u1-1", "u1-2"]);
    await expect.poll(() => deliveredIds(story, "u2"), patient).toEqual(["u2-2"]);
    const waited = await story.read(story.tier("1s"));
    expect(waited.map((letter) => letter.timestamp)).toEqual([-1, -1]);
    expect((await story.read(story.deadLetters)).map((letter) => letter.timestamp)).toEqual([-1]);
    expect(service.logs.filter(({ msg }) => msg.startsWith("Kafka refuses the time"))).toHaveLength(1);
    expect((await service.readiness()).holds).toEqual([]);
    expect(await service.stop()).toBe(0);
  });

  /*
   * A retry topic grows while the service runs, as the documents say it should before its source grows. kafkajs still has the
   * old metadata, makes no request for the new partition, and gives no error. The record arrives all the same.
   */
  journey("a record for a partition that is new is not taken for written", async ({ story, expect }) => {
    const topic = story.tier("1s");
    await createTopics(story.kafka, [{ topic, numPartitions: 1 }]);
    const refused: string[] = [];
    const config = readConfig(await story.env());
    const { settler, producers } = createWriting({
      kafka: createKafka({ ...config.kafka, sasl: undefined, logLevel: 0, retry: noRetry }),
      config,
      log: createLog({ level: "fatal" }),
      metrics: { ...createMetrics(), writeFailed: (name) => void refused.push(name) },
      hold: () => {},
      monotonic: () => performance.now(),
      random: Math.random,
      pause: (ms) => new Promise((resolve) => void setTimeout(resolve, ms)),
      schedule: (ms, callback) => void setTimeout(callback, ms).unref(),
      onMissing: () => {},
    });
    story.onEnd(() => producers.close());
    const write = (partition: number) => {
      const origin = originOf({ topic: story.source, partition, offset: "0", timestamp: Date.now() });
      const past = { origin, attempts: 0, firstFailedAt: undefined };
      const record = { key: Buffer.from("u1"), value: Buffer.from("{}"), headers: {}, timestamp: Date.now() };
      const failure = { origin, reason: "server_error", error: "No", attempts: 1, firstFailedAt: undefined } as const;
      const meaning = { kind: "call", call: "track", body: Buffer.from("{}") } as const;
      const arrival = { record, user: "u1", type: "track", meaning, past, repairs: [] } as const;
      return settler.retry([{ arrival, failure: { ...failure, tier: 0, partition } }]);
    };
    expect(await write(0)).toBe(0);
    await withAdmin(story, (admin) => admin.createPartitions({ topicPartitions: [{ topic, count: 3 }] }));
    expect(await write(2)).toBe(0);
    expect(refused.length).toBeGreaterThan(0);
    expect((await story.read(topic)).map(({ partition }) => partition)).toEqual([0, 2]);
  });
});
