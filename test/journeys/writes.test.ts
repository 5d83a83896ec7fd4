import { fileURLToPath } from "node:url";

import kafkajs, { type Admin } from "kafkajs";
import { describe } from "vitest";

import { readConfig } from "../../src/config/env/read-config.ts";
import { sourcePositionOf } from "../../src/core/outcome/headers.ts";
import { createKafka, noRetry } from "../../src/kafka/client.ts";
import { createLog } from "../../src/ops/log.ts";
import { createMetrics } from "../../src/ops/metrics.ts";
import { composePublisher } from "../../src/service/compose-publisher.ts";
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

/** Kafka's default since 4.0; older versions accept any timestamp. */
const configEntries = [{ name: "message.timestamp.after.max.ms", value: "3600000" }];

/** Creates the topics that the service would create otherwise: here the test decides which exist. */
const makeOurs = (story: Story, except: readonly string[] = []): Promise<void> =>
  createTopics(
    story.kafka,
    [story.retryTopic("1s"), story.retryTopic("3s"), story.deadLetters]
      .filter((topic) => !except.includes(topic))
      .map((topic) => ({ topic, numPartitions: partitions, configEntries })),
  );

const failFor = ({ standin }: Story, messageId: string, status: number, count: number): void => {
  standin.faults.add({ kind: "status", status, count, match: { messageId } });
};

const sentenceOn = (topic: string): RegExp => new RegExp(`^Cannot write to ${topic}: `);

describe.concurrent("writes to Kafka", () => {
  /*
   * Somebody deletes the dead-letter topic while the service runs, and then an event is rejected. The service names the
   * topic and the reason. The user of the event waits; all other users continue, also through the retry topics. When
   * the topic exists again, the event is written to it, and the hold ends by itself.
   */
  journey("a deleted dead-letter topic holds only the dead letters", async ({ story, expect }) => {
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

    await makeOurs(story, [story.retryTopic("1s"), story.retryTopic("3s")]);
    await expect.poll(() => deliveredIds(story, "u1"), patient).toEqual(["u1-2"]);
    await expect.poll(() => service.readiness(), patient).toEqual({ ok: true, reasons: [], holds: [] });
    expect((await story.read(story.deadLetters)).map(({ text }) => text["gainstream-reason"])).toEqual(["rejected"]);
    const holdLines = service.logs.filter(({ hold }) => hold === "kafka_unwritable");
    expect(holdLines).toMatchObject([
      { level: "warn", error: expect.stringMatching(sentenceOn(story.deadLetters)) },
      { level: "info", heldMs: expect.any(Number) },
    ]);
    const errors = service.logs.filter(({ level }) => level === "error");
    expect(errors).toMatchObject([{ msg: "These topics do not exist any more", topics: [story.deadLetters] }]);
    expect(await service.stop()).toBe(0);
    expect((await story.committed()).reduce((sum, offset) => sum + Math.max(0, offset), 0)).toBe(7);
  });

  /*
   * An operator makes a retry topic compacted, so it rejects records without a key. The event for that topic waits, and
   * the hold names the topic; dead letters are still written. When the topic accepts records again, the event is
   * written.
   */
  journey(
    "a retry topic that rejects a record is named, and dead letters are still written",
    async ({ story, expect }) => {
      await makeOurs(story);
      await configure(story, story.retryTopic("1s"), { "cleanup.policy": "delete", "retention.ms": "-1" });
      const service = await story.start({ CREATE_TOPICS: "false" });
      await configure(story, story.retryTopic("1s"), { "cleanup.policy": "compact" });
      failFor(story, "u1-1", 500, 3);
      failFor(story, "u2-1", 400, 1);
      await story.produce([{ ...asJson(trackEvent("u1", 1)), key: null }]);
      await expect.poll(() => service.readiness().then(({ holds }) => holds), patient).toEqual(["kafka_unwritable"]);
      await story.produce(tracks("u2", 1, 2));
      await expect.poll(() => deliveredIds(story), patient).toEqual(["u2-2"]);
      expect(await story.read(story.deadLetters)).toHaveLength(1);
      expect(await story.read(story.retryTopic("1s"))).toEqual([]);
      await configure(story, story.retryTopic("1s"), { "cleanup.policy": "delete", "retention.ms": "-1" });
      await expect.poll(() => deliveredIds(story, "u1"), patient).toEqual(["u1-1"]);
      await expect.poll(() => service.readiness().then(({ holds }) => holds), patient).toEqual([]);
      expect(service.logs.filter(({ hold }) => hold === "kafka_unwritable")).toMatchObject([
        { error: expect.stringMatching(sentenceOn(story.retryTopic("1s"))) },
        { level: "info" },
      ]);
    },
  );

  /*
   * The clock of the machine is three hours ahead, more than Kafka accepts in a record's timestamp. Failed events are
   * written to the retry topic and rejected ones to the dead-letter topic, without a timestamp. The log reports that
   * once.
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
    const waited = await story.read(story.retryTopic("1s"));
    expect(waited.map((letter) => letter.timestamp)).toEqual([-1, -1]);
    expect((await story.read(story.deadLetters)).map((letter) => letter.timestamp)).toEqual([-1]);
    expect(service.logs.filter(({ msg }) => msg.startsWith("Kafka refuses the time"))).toHaveLength(1);
    expect((await service.readiness()).holds).toEqual([]);
    expect(await service.stop()).toBe(0);
  });

  /*
   * A retry topic grows while the service runs. kafkajs still has the old metadata: it sends no request for the new
   * partition and reports no error. The record is written all the same.
   */
  journey("a record for a new partition never counts as written before it is", async ({ story, expect }) => {
    const topic = story.retryTopic("1s");
    await createTopics(story.kafka, [{ topic, numPartitions: 1 }]);
    const refused: string[] = [];
    const config = readConfig(await story.env());
    const { publisher, producers } = composePublisher({
      kafka: createKafka({ ...config.kafka, sasl: undefined, logLevel: 0, retry: noRetry }),
      config,
      log: createLog({ level: "fatal" }),
      metrics: { ...createMetrics(), recordWriteFailure: (name) => void refused.push(name) },
      onHold: () => {},
      clock: {
        monotonicNow: () => performance.now(),
        random: Math.random,
        schedule: (ms, callback) => void setTimeout(callback, ms).unref(),
      },
      pause: (ms) => new Promise((resolve) => void setTimeout(resolve, ms)),
      onMissing: () => {},
    });
    story.onEnd(() => producers.close());
    const write = (partition: number) => {
      const source = sourcePositionOf({ topic: story.source, partition, offset: "0", timestamp: Date.now() });
      const retryState = { source, attempts: 0, firstFailedAt: undefined };
      const record = { key: Buffer.from("u1"), value: Buffer.from("{}"), headers: {}, timestamp: Date.now() };
      const failure = { source, reason: "server_error", error: "No", attempts: 1, firstFailedAt: undefined } as const;
      const decision = { kind: "call", type: "track", body: Buffer.from("{}") } as const;
      const parsed = { record, user: "u1", type: "track", decision, retryState, repairs: [] } as const;
      return publisher.publishRetries([{ parsed, failure: { ...failure, tier: 0, partition } }]);
    };
    expect(await write(0)).toBe(0);
    await withAdmin(story, (admin) => admin.createPartitions({ topicPartitions: [{ topic, count: 3 }] }));
    expect(await write(2)).toBe(0);
    expect(refused.length).toBeGreaterThan(0);
    expect((await story.read(topic)).map(({ partition }) => partition)).toEqual([0, 2]);
  });
});
