import { describe } from "vitest";

import { startKafka } from "../../local/kafka.ts";
import { createTopics, journeyKafka } from "./cluster.ts";
import { type Story, asJson, deliveredIds, journey, patient, trackEvent } from "./story.ts";

const users = 200;
const nameOf = (n: number): string => `u${n}`;
/** Every other user of the first half waits, so that the map of completed offsets has many gaps. */
const isSlow = (n: number): boolean => n < users / 2 && n % 2 === 0;

const startSmallBroker = async (story: Story, maxBytes: number) => {
  const settings = { "offset.metadata.max.bytes": String(maxBytes) };
  const own = await startKafka({ count: 1, log: () => {}, more: { addresses: [], settings } });
  story.onEnd(() => own.stop());
  const kafka = journeyKafka(own.brokers);
  await createTopics(kafka, [{ topic: story.source, numPartitions: 1 }]);
  const producer = kafka.producer();
  await producer.connect();
  const messages = Array.from({ length: users }, (_, n) => asJson(trackEvent(nameOf(n), 1)));
  await producer.send({ topic: story.source, messages });
  await producer.disconnect();
  const admin = kafka.admin();
  await admin.connect();
  story.onEnd(() => admin.disconnect());
  const committed = async () => {
    const [answer] = await admin.fetchOffsets({ groupId: story.group, topics: [story.source] });
    const { offset, metadata } = answer?.partitions[0] ?? { offset: "-1", metadata: null };
    return { offset: Number(offset), metadata: metadata ?? "" };
  };
  return { brokers: own.brokers, committed };
};

describe.concurrent("commit metadata", () => {
  /*
   * The broker accepts less commit metadata than Kafka's default. Of 200 events 50 get no response for a while, and the
   * map of completed offsets does not fit. The service still commits, with as much of the map as fits, in the end with
   * none. It reports that, and finally everything is delivered and committed.
   */
  journey.for([30, 0])("commits work with a broker that accepts %i characters", async (maxBytes, { story, expect }) => {
    const { brokers, committed } = await startSmallBroker(story, maxBytes);
    for (let n = 0; n < users; n++)
      if (isSlow(n))
        story.standin.faults.add({ kind: "latency", ms: n === 0 ? 10_000 : 4_000, match: { userId: nameOf(n) } });
    const service = await story.start({
      KAFKA_BROKERS: brokers,
      GAINSIGHT_CONCURRENCY: "100",
      GAINSIGHT_TIMEOUT: "20s",
    });
    const said = () => service.logs.filter(({ msg }) => msg.includes("offset.metadata.max.bytes"));
    await expect.poll(said, patient).not.toEqual([]);
    // The service reports it before it commits the shorter map. If the broker takes no more, only the topic's id is left.
    const metadata = expect.stringMatching(maxBytes > 0 ? /^(g[12]:|;@)/ : /^$/);
    await expect.poll(committed, patient).toEqual({ offset: 0, metadata });
    expect((await committed()).metadata.length).toBeLessThanOrEqual(maxBytes);
    await expect.poll(() => deliveredIds(story).length, patient).toBe(users);
    // Nothing is left to describe. The topic's id stays if the broker accepts that much.
    const emptyMap = expect.stringMatching(maxBytes > 0 ? /^(;@.*)?$/ : /^$/);
    await expect.poll(committed, patient).toEqual({ offset: users, metadata: emptyMap });
    expect(service.logs.filter(({ msg }) => msg.startsWith("Cannot commit"))).toEqual([]);
    // A broker that accepts nothing can be recognised only by a long map, and the first maps may be short.
    expect(said().length).toBeLessThanOrEqual(maxBytes > 0 ? 1 : 2);
    expect(await service.stop()).toBe(0);
  });
});
