import { ConfigResourceTypes } from "kafkajs";
import { type ExpectStatic, describe } from "vitest";

import { freePorts } from "../../local/ports.ts";
import { createTopics } from "./cluster.ts";
import type { Service } from "./service.ts";
import { type Story, accessKey, deliveredIds, journey, patient, startOwnBroker, tracks } from "./story.ts";

const expectWaiting = async (service: Service, reason: RegExp, expect: ExpectStatic): Promise<void> => {
  const waiting = { ok: false, reasons: [expect.stringMatching(reason)] };
  await expect.poll(() => service.readiness(), patient).toMatchObject(waiting);
  expect(service.logs).toContainEqual(
    expect.objectContaining({ level: "warn", msg: expect.stringMatching(/; retrying$/) }),
  );
};

/** Creates the retry topics and the dead-letter topic as an operator would. Resolves with the first retry topic and a function that changes a topic. */
const makeOwnTopics = async (story: Story) => {
  const topic = story.retryTopic("1s");
  const topics = [topic, story.retryTopic("3s"), story.deadLetters];
  await createTopics(
    story.kafka,
    topics.map((name) => ({ topic: name, numPartitions: 3 })),
  );
  const admin = story.kafka.admin();
  await admin.connect();
  story.onEnd(() => admin.disconnect());
  const setConfig = (name: string, setting: string, value: string): Promise<unknown> => {
    const resource = { type: ConfigResourceTypes.TOPIC, name, configEntries: [{ name: setting, value }] };
    return admin.alterConfigs({ validateOnly: false, resources: [resource] });
  };
  return { topic, setConfig };
};

describe.concurrent("start", () => {
  /*
   * The environment has three mistakes. The service names all three at once, with what was given and what is wanted,
   * but never a secret. The exit code says that the configuration is wrong.
   */
  journey("a wrong environment is rejected with every mistake in one report", async ({ story, expect }) => {
    const service = await story.launch({
      KAFKA_BROKERS: "",
      RETRY_DELAYS: "5x",
      GAINSIGHT_ACCESS_KEY: accessKey.slice(1),
    });
    expect(await service.exit).toBe(78);
    const report = service.errors();
    for (const name of ["KAFKA_BROKERS", "RETRY_DELAYS", "GAINSIGHT_ACCESS_KEY"]) expect(report).toContain(name);
    expect(report).toContain("got '5x'");
    expect(report).not.toContain(accessKey.slice(1));
    expect(service.logs).toEqual([]);
  });

  /*
   * The broker is down when the service starts. The service answers its probes, is not ready, says why and retries.
   * When the broker is up, the service joins by itself and delivers.
   */
  journey("the service waits for an unreachable broker", async ({ story, expect }) => {
    const own = await startOwnBroker(story, tracks("u1", 1, 2));
    await own.broker(1).stop();

    const service = await story.launch({ KAFKA_BROKERS: own.brokers });
    await expectWaiting(service, /^Cannot reach Kafka: .+/, expect);
    await own.broker(1).start();
    await service.untilReady();
    await expect.poll(() => deliveredIds(story), patient).toEqual(["u1-1", "u1-2"]);
    expect(await service.stop()).toBe(0);
  });

  /*
   * The broker stays down. SIGTERM ends the waiting service gracefully.
   */
  journey("SIGTERM ends a service that waits for its broker", async ({ story, expect }) => {
    const [port] = await freePorts(1);
    const service = await story.launch({ KAFKA_BROKERS: `127.0.0.1:${port}` });
    await expectWaiting(service, /^Cannot reach Kafka/, expect);
    const stoppedAt = Date.now();
    expect(await service.stop()).toBe(0);
    expect(Date.now() - stoppedAt).toBeLessThan(5_000);
  });

  /*
   * The source topic does not exist, and the service does not create sources. It waits, is not ready and names the
   * topic. When an operator has created it, the service creates its own topics with as many partitions and continues.
   */
  journey("the service waits for a missing source topic", async ({ story, expect }) => {
    const late = `${story.source}-late`;
    const service = await story.launch({ SOURCE_TOPICS: late });
    await expectWaiting(service, new RegExp(`^Waiting for topics: .*${late}`), expect);
    expect(service.logs.filter(({ level }) => level === "warn")).toHaveLength(1);
    await createTopics(story.kafka, [{ topic: late, numPartitions: 2 }]);
    await story.produce(tracks("u1", 1, 1), late);
    await service.untilReady();
    await expect.poll(() => deliveredIds(story), patient).toEqual(["u1-1"]);
    const topics = [story.retryTopic("1s"), story.retryTopic("3s"), story.deadLetters];
    const created = service.logs.find(({ msg }) => msg === "Created topics");
    expect(created?.["topics"]).toEqual(topics);
    const admin = story.kafka.admin();
    await admin.connect();
    const shapes = await admin.fetchTopicMetadata({ topics });
    await admin.disconnect();
    expect(shapes.topics.map(({ partitions }) => partitions.length)).toEqual([2, 2, 2]);
  });

  /*
   * Gainsight is unreachable when the service starts. The service is ready, holds and loses nothing. When Gainsight is
   * up, everything is delivered in order, and nothing was written to the retry topics.
   */
  journey("the service waits for a Gainsight that is unreachable at the start", async ({ story, expect }) => {
    const users = Array.from({ length: 20 }, (_, index) => `u${index}`);
    await story.produce(users.flatMap((user) => tracks(user, 1, 2)));
    story.standin.faults.add({ kind: "outage", mode: "refuse", durationMs: 60_000 });
    const service = await story.start({ BREAKER_PROBE_MAX: "400ms" });
    await expect.poll(() => service.readiness(), patient).toEqual({ ok: true, reasons: [], holds: ["target_down"] });
    expect(await service.metric("gainstream_calls_total", { status: "network" })).toBeGreaterThanOrEqual(10);
    await story.standin.faults.clear();
    await expect.poll(() => story.standin.ledger().distinct, patient).toBe(40);
    expect(story.standin.ledger()).toMatchObject({ duplicates: 0, inversions: 0 });
    expect(await story.read(story.retryTopic("1s"))).toEqual([]);
    expect(await service.stop()).toBe(0);
  });

  /*
   * An operator has created the retry topics and the dead-letter topic, one retry topic with compaction. Compaction
   * would delete all but the last event of a user, because they share a key. The service ends at once and says how to
   * fix the topic. It starts with a retry topic whose retention is too short, and warns.
   */
  journey(
    "a compacted retry topic ends the service, and a short retention gives a warning",
    async ({ story, expect }) => {
      const { topic, setConfig } = await makeOwnTopics(story);
      await setConfig(topic, "cleanup.policy", "compact");
      const refused = await story.launch();
      expect(await refused.exit).toBe(1);
      const sentence = `${topic} has cleanup.policy compact, .*--entity-name ${topic} --add-config cleanup.policy=delete`;
      expect(refused.logs.at(-1)).toMatchObject({ level: "fatal", msg: expect.stringMatching(sentence) });

      await setConfig(topic, "retention.ms", "60000");
      await story.produce(tracks("u1", 1, 1));
      const service = await story.start();
      await expect.poll(() => deliveredIds(story), patient).toEqual(["u1-1"]);
      const warnings = service.logs.filter(({ level }) => level === "warn");
      expect(warnings).toMatchObject([
        { msg: expect.stringContaining(`${topic} has retention.ms 60000, shorter than`) },
      ]);
      expect(await service.stop()).toBe(0);
    },
  );
});
