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
    expect.objectContaining({ level: "warn", msg: expect.stringMatching(/trying on/) }),
  );
};

/** Makes the tiers and the dead-letter topic as an operator would; gives the first tier and a way to change a topic. */
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
   * Somebody starts the service with three mistakes in the environment. All three are named at once, with what was given
   * and what is wanted, but never a secret. The exit code says that it is the configuration.
   */
  journey("a wrong environment is refused with every mistake in one report", async ({ story, expect }) => {
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
   * The broker is down when the service starts. The service answers its probes, is not ready, says why and tries on without
   * an exit; when the broker comes, it joins by itself and delivers.
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
   * The broker does not come, and the operator gives up: SIGTERM while the service is still waiting ends it in order.
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
   * The source topic does not exist yet: it is not the service's to make. It waits, not ready, and names the topic; when
   * somebody has made it, the service makes its own topics beside it, of the same shape, and goes on.
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
   * Nothing listens at Gainsight's address when the service starts. The service is ready, holds and loses nothing; when
   * Gainsight comes, everything is delivered in order, and the tiers have seen nothing.
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
   * Somebody has made the tiers and the dead-letter topic beforehand, and compacts one tier: of a user's events, which share a
   * key, all but the last would vanish. The service ends at once and says how to mend it. It goes on with a tier that only
   * forgets sooner than is wise, and warns.
   */
  journey(
    "a tier that would lose records ends the service, and a forgetful one is warned of",
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
