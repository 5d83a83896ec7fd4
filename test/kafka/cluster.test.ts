import { describe, expect, it } from "vitest";

import { createKafka } from "../../src/kafka/client.ts";
import { type ClusterBroker, createAdminCluster, sendRequest, tolerateMissingTopics } from "../../src/kafka/cluster.ts";
import type { BrokerRequest } from "../../src/kafka/protocol.ts";

const codes: Readonly<Record<string, number>> = { missing: 3, forbidden: 29, leaderless: 5 };

/** A broker whose answer about a topic follows from the topic's name. */
const createBroker = (): ClusterBroker & { readonly log: string[] } => {
  const log: string[] = [];
  const send = async ({ response }: BrokerRequest, topics: string[]): Promise<unknown> => {
    log.push("send");
    const topicMetadata = topics.map((topic) => ({ topic, topicErrorCode: codes[topic] ?? 0, partitionMetadata: [] }));
    return response.parse({ topicMetadata } as never);
  };
  const broker = { log, versions: { 3: { maxVersion: 12 } }, disconnect: async () => void log.push("disconnect") };
  return Object.assign(broker, {
    connectionPool: { send: (request: BrokerRequest) => send(request, asked) },
  }) as unknown as ReturnType<typeof createBroker>;
};
let asked: string[] = [];

const createPool = () => {
  const [seedBroker, known] = [createBroker(), createBroker()];
  const brokerPool = { seedBroker, brokers: { 1: known }, createBroker };
  tolerateMissingTopics({ brokerPool });
  return [seedBroker, known, brokerPool.createBroker()];
};

const metadataOf = (broker: ClusterBroker | undefined, topics: string[]): Promise<unknown> => {
  asked = topics;
  return broker?.metadata(topics) ?? Promise.resolve();
};

describe("tolerateMissingTopics()", () => {
  it.each([0, 1, 2])("returns no partitions for a missing topic (broker %i)", async (index) => {
    const found = await metadataOf(createPool()[index], ["missing", "there"]);
    expect(found).toMatchObject({ topicMetadata: [{ topic: "missing" }, { topic: "there" }] });
  });

  it("throws for a forbidden topic: a member without a retry topic does not know which users are parked there", async () => {
    const found = metadataOf(createPool()[0], ["there", "forbidden"]);
    await expect(found).rejects.toMatchObject({ type: "TOPIC_AUTHORIZATION_FAILED" });
  });

  it("throws a retriable error for a topic without a leader, as kafkajs does", async () => {
    await expect(metadataOf(createPool()[0], ["there", "leaderless"])).rejects.toMatchObject({
      type: "LEADER_NOT_AVAILABLE",
      retriable: true,
    });
  });
});

describe("sendRequest()", () => {
  it.each([
    ["KafkaJSConnectionClosedError", ["disconnect"]],
    ["KafkaJSProtocolError", []],
  ])("disconnects the broker only if the connection is closed: %s, %j", async (name, expected) => {
    const broker = createBroker();
    const failing = { send: () => Promise.reject(Object.assign(new Error("No"), { name })) };
    const request = {} as BrokerRequest;
    await expect(sendRequest(Object.assign(broker, { connectionPool: failing }), request)).rejects.toThrow("No");
    expect(broker.log).toEqual(expected);
  });
});

it("the installed kafkajs has the internals that this service uses", () => {
  const { cluster, admin } = createAdminCluster(createKafka({ brokers: ["127.0.0.1:1"], clientId: "c", logLevel: 0 }));
  expect([typeof cluster.refreshMetadata, typeof cluster.findBroker, typeof admin.createPartitions]).toEqual(
    Array.from({ length: 3 }, () => "function"),
  );
  expect(cluster.brokerPool).toMatchObject({ brokers: {}, metadata: null });
  expect(() => createAdminCluster({} as Parameters<typeof createAdminCluster>[0])).toThrow(/want kafkajs 2\.2\.4/);
});
