import { setTimeout as sleep } from "node:timers/promises";

import type { Admin, Message } from "kafkajs";
import { type ExpectStatic, describe } from "vitest";

import { createTopics } from "./cluster.ts";
import type { Service } from "./service.ts";
import { type Story, deliveredIds, journey, patient, tracks } from "./story.ts";

/** The service looks at its topics every 10 s. */
const slow = { timeout: 40_000, interval: 100 };

const adminOf = async ({ kafka, onEnd }: Story): Promise<Admin> => {
  const admin = kafka.admin();
  await admin.connect();
  onEnd(() => admin.disconnect());
  return admin;
};

/** On a busy machine a topic may still be there for a moment after it was deleted. */
const makeAnew = async (story: Story, admin: Admin, topic: string, partitions = 3): Promise<void> => {
  await admin.deleteTopics({ topics: [topic] });
  for (;;) {
    try {
      return await createTopics(story.kafka, [{ topic, numPartitions: partitions }]);
    } catch {
      await sleep(50);
    }
  }
};

/** By a producer of its own: kafkajs's cannot write to anything any more once a topic is gone that it has written to. */
const produceTo = async ({ kafka }: Story, topic: string, messages: Message[]): Promise<void> => {
  const producer = kafka.producer();
  await producer.connect();
  await producer.send({ topic, messages });
  await producer.disconnect();
};

/** All on partition 0. */
const onFirst = (messages: Message[]): Message[] => messages.map((message) => Object.assign(message, { partition: 0 }));

const users = (prefix: string, count: number) => Array.from({ length: count }, (_, index) => `${prefix}${index}`);

const expectReset = (service: Service, fields: object, expect: ExpectStatic): void =>
  expect(service.logs).toContainEqual(expect.objectContaining({ level: "error", ...fields }));

describe.concurrent("replaced and truncated logs", () => {
  /*
   * An operator deletes the source topic while the service runs, creates it again and writes fewer events than before.
   * All new events are delivered, whatever their offsets. The log and a metric say that the topic was replaced.
   */
  journey("a recreated topic with fewer records is read from its beginning", async ({ story, expect }) => {
    const admin = await adminOf(story);
    const service = await story.start();
    await story.produce(users("old", 30).flatMap((user) => tracks(user, 1, 2)));
    await expect.poll(() => story.standin.ledger().distinct, patient).toBe(60);
    await makeAnew(story, admin, story.source);
    await story.produce(users("new", 5).flatMap((user) => tracks(user, 1, 2)));
    await expect.poll(() => story.standin.ledger().distinct, slow).toBe(70);
    expectReset(service, { topic: story.source, cause: "made_anew", newOffset: 0 }, expect);
    expect(await service.metric("gainstream_log_resets_total", { topic: story.source })).toBe(3);
    expect(story.standin.ledger()).toMatchObject({ duplicates: 0, inversions: 0 });
    await expect.poll(() => service.readiness(), patient).toEqual({ ok: true, reasons: [], holds: [] });
    expect(await service.stop()).toBe(0);
  });

  /*
   * As before, but the new topic has more records than the old one before the service notices, so no offset is out of
   * range.
   */
  journey("a recreated topic with more records is read from its beginning", async ({ story, expect }) => {
    const admin = await adminOf(story);
    const service = await story.start();
    await story.produce(users("old", 5).flatMap((user) => tracks(user, 1, 2)));
    await expect.poll(() => story.standin.ledger().distinct, patient).toBe(10);
    await makeAnew(story, admin, story.source);
    await story.produce(users("new", 40).flatMap((user) => tracks(user, 1, 2)));
    await expect.poll(() => story.standin.ledger().distinct, slow).toBe(90);
    expectReset(service, { topic: story.source, cause: "made_anew", newOffset: 0 }, expect);
    expect(story.standin.ledger()).toMatchObject({ inversions: 0 });
    await expect.poll(() => deliveredIds(story).length, patient).toBeGreaterThanOrEqual(90);
    expect(await service.stop()).toBe(0);
  });

  /*
   * An event waits in a retry topic when its source topic is created again. A new event now has the same partition and
   * offset. Both are delivered: the new event is not a copy of the old one.
   */
  journey(
    "an event of a recreated topic is not mistaken for a waiting event of the old topic",
    async ({ story, expect }) => {
      const admin = await adminOf(story);
      story.standin.faults.add({ kind: "status", status: 500, count: 1, match: { messageId: "old-1" } });
      const service = await story.start({ RETRY_DELAYS: "20s", QUICK_ATTEMPTS: "1" });
      await story.produce(onFirst(tracks("old", 1, 1)));
      await expect.poll(() => service.metric("gainstream_parked_users"), patient).toBe(1);
      await makeAnew(story, admin, story.source);
      await story.produce(onFirst(tracks("new", 1, 2)));
      await expect.poll(() => deliveredIds(story, "new"), slow).toEqual(["new-1", "new-2"]);
      await expect.poll(() => deliveredIds(story, "old"), slow).toEqual(["old-1"]);
      expect(await service.metric("gainstream_parked_users")).toBe(0);
      expect(story.standin.ledger()).toMatchObject({ distinct: 3, duplicates: 0 });
    },
  );

  /*
   * While the service is stopped, the log loses records, as after an unclean leader election, and the committed offsets
   * are beyond its end. The service reads the log from its beginning and reports that.
   */
  journey(
    "a log that was cut off while the service was stopped is read from its beginning",
    async ({ story, expect }) => {
      const admin = await adminOf(story);
      const first = await story.start();
      await story.produce(tracks("u1", 1, 4));
      await expect.poll(() => story.standin.ledger().distinct, patient).toBe(4);
      expect(await first.stop()).toBe(0);
      const partitions = [0, 1, 2].map((partition) => ({ partition, offset: "100" }));
      await admin.setOffsets({ groupId: story.group, topic: story.source, partitions });
      await story.produce(tracks("u2", 1, 3));
      const refused = await story.launch({ START_FROM: "fail" });
      expect(await refused.exit).toBe(1);
      expect(refused.logs.at(-1)).toMatchObject({
        level: "fatal",
        msg: expect.stringContaining("committed 100, log 0 to"),
      });
      const service = await story.start();
      await expect.poll(() => deliveredIds(story, "u2"), patient).toEqual(["u2-1", "u2-2", "u2-3"]);
      expectReset(service, { topic: story.source, cause: "truncated", oldOffset: 100, newOffset: 0 }, expect);
    },
  );

  /*
   * Gainsight is down, so the service stops reading, and Kafka's retention deletes records that it has not read. When
   * Gainsight is back, everything in memory is delivered, reading continues after the gap, and the log names the lost
   * records.
   */
  journey("only unread records that retention removed are skipped", async ({ story, expect }) => {
    const admin = await adminOf(story);
    const service = await story.start({ BREAKER_PROBE_MAX: "400ms" });
    story.standin.faults.add({ kind: "outage", mode: "refuse", durationMs: 600_000 });
    const many = onFirst(users("u", 12_000).flatMap((user) => tracks(user, 1, 1)));
    for (let from = 0; from < many.length; from += 2_000) await story.produce(many.slice(from, from + 2_000));
    await expect.poll(() => service.metric("gainstream_held_records"), patient).toBeGreaterThan(100);
    await sleep(1_000);
    const heldRecords = await service.metric("gainstream_held_records");
    // kafkajs has no other way to find the leader of the partition.
    await admin.fetchTopicOffsets(story.source);
    await admin.deleteTopicRecords({ topic: story.source, partitions: [{ partition: 0, offset: "12000" }] });
    await story.standin.faults.clear();
    await story.produce(onFirst(tracks("late", 1, 1)));
    await expect.poll(() => deliveredIds(story, "late"), slow).toEqual(["late-1"]);
    expect(story.standin.ledger().distinct).toBeGreaterThanOrEqual(heldRecords);
    expect(story.standin.ledger()).toMatchObject({ duplicates: 0, inversions: 0 });
    expectReset(service, { topic: story.source, partition: 0, cause: "removed", newOffset: 12_000 }, expect);
    expect(await service.metric("gainstream_log_resets_total", { topic: story.source })).toBe(1);
  });

  /*
   * A user waits in a retry topic, and somebody deletes that topic. The service creates it again within seconds. The
   * waiting event is lost, but the user's next event is not blocked: it is delivered. An event that fails after that
   * waits in the new topic.
   */
  journey("a deleted retry topic is created again, and its users are released", async ({ story, expect }) => {
    const admin = await adminOf(story);
    story.standin.faults.add({ kind: "status", status: 500, match: { messageId: "u1-1" } });
    const service = await story.start({ RETRY_DELAYS: "120s", QUICK_ATTEMPTS: "1" });
    await story.produce(tracks("u1", 1, 1));
    await expect.poll(() => service.metric("gainstream_parked_users"), patient).toBe(1);
    await admin.deleteTopics({ topics: [story.retryTopic("120s")] });
    await story.produce(tracks("u2", 1, 1));
    await expect.poll(() => service.logs.filter(({ msg }) => msg === "Created topics").length, slow).toBe(2);
    await expect.poll(() => service.readiness(), slow).toMatchObject({ ok: true, reasons: [] });
    await expect.poll(() => service.metric("gainstream_parked_users"), slow).toBe(0);
    await story.produce(tracks("u1", 2, 1));
    await expect.poll(() => new Set(deliveredIds(story)), slow).toEqual(new Set(["u1-2", "u2-1"]));
    story.standin.faults.add({ kind: "status", status: 500, match: { messageId: "u2-2" } });
    await story.produce(tracks("u2", 2, 1));
    await expect.poll(async () => (await story.read(story.retryTopic("120s"))).length, slow).toBe(1);
    expect(await service.stop()).toBe(0);
  });

  /*
   * Somebody deletes the dead-letter topic. The service creates it again within seconds, before it needs it.
   */
  journey("a deleted dead-letter topic is created again", async ({ story, expect }) => {
    const admin = await adminOf(story);
    await story.start();
    await story.produce(tracks("u1", 1, 1));
    await expect.poll(() => deliveredIds(story), patient).toEqual(["u1-1"]);
    await admin.deleteTopics({ topics: [story.deadLetters] });
    await expect.poll(async () => (await admin.listTopics()).includes(story.deadLetters), slow).toBe(true);
    story.standin.faults.add({ kind: "status", status: 400, match: { messageId: "u1-2" } });
    await story.produce(tracks("u1", 2, 2));
    await expect.poll(() => deliveredIds(story), patient).toEqual(["u1-1", "u1-3"]);
    await expect.poll(async () => (await story.read(story.deadLetters)).length, slow).toBe(1);
  });

  /*
   * A retry topic is deleted, and the service may not create topics. It is not ready and names the topic. When an
   * operator has created the topic, the service continues by itself.
   */
  journey("the service names and waits for a retry topic that it may not create", async ({ story, expect }) => {
    const admin = await adminOf(story);
    const topics = [story.retryTopic("1s"), story.retryTopic("3s"), story.deadLetters];
    const made = (names: string[]) => names.map((topic) => ({ topic, numPartitions: 3 }));
    await createTopics(story.kafka, made(topics));
    const service = await story.start({ CREATE_TOPICS: "false" });
    await admin.deleteTopics({ topics: [story.retryTopic("3s")] });
    const reasons = expect.arrayContaining([expect.stringContaining(`do not exist: ${story.retryTopic("3s")}`)]);
    await expect.poll(() => service.readiness(), slow).toMatchObject({ ok: false, reasons });
    await createTopics(story.kafka, made([story.retryTopic("3s")]));
    await story.produce(tracks("u1", 1, 2));
    await expect.poll(() => deliveredIds(story), slow).toEqual(["u1-1", "u1-2"]);
    await expect.poll(() => service.readiness(), slow).toEqual({ ok: true, reasons: [], holds: [] });
    expect(await service.stop()).toBe(0);
  });

  /*
   * One of two source topics is deleted. The service is not ready and names the topic, but still reads the other one.
   * When the topic exists again, it is read from its beginning.
   */
  journey("a deleted source topic is named, and read again when it exists again", async ({ story, expect }) => {
    const admin = await adminOf(story);
    const other = `${story.source}-2`;
    await createTopics(story.kafka, [{ topic: other, numPartitions: 3 }]);
    const service = await story.start({ SOURCE_TOPICS: `${story.source},${other}` });
    await produceTo(story, other, tracks("u1", 1, 2));
    await expect.poll(() => deliveredIds(story), patient).toEqual(["u1-1", "u1-2"]);
    await admin.deleteTopics({ topics: [other] });
    const reasons = [`These topics do not exist: ${other}`];
    await expect.poll(() => service.readiness(), slow).toMatchObject({ ok: false, reasons });
    await story.produce(tracks("u2", 1, 1));
    await expect.poll(() => deliveredIds(story, "u2"), slow).toEqual(["u2-1"]);
    await createTopics(story.kafka, [{ topic: other, numPartitions: 3 }]);
    await produceTo(story, other, tracks("u1", 3, 1));
    await expect.poll(() => deliveredIds(story, "u1"), slow).toEqual(["u1-1", "u1-2", "u1-3"]);
    await expect.poll(() => service.readiness(), slow).toEqual({ ok: true, reasons: [], holds: [] });
    expect(story.standin.ledger()).toMatchObject({ duplicates: 0, inversions: 0 });
  });
});
