import { describe, expect, it } from "vitest";

import { createKafka } from "../../src/kafka/client.ts";
import {
  type BrokerRequest,
  type ClusterBroker,
  createAdminCluster,
  sendRequest,
  tolerateMissingTopics,
} from "../../src/kafka/cluster.ts";

const codes: Readonly<Record<string, number>> = { missing: 3, forbidden: 29, leaderless: 5 };

/** A broker that tells of topics what their names say. */
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

describe("a consumer's view of the cluster", () => {
  it.each([0, 1, 2])("has no partitions of a missing topic, and goes on (broker %i)", async (index) => {
    const found = await metadataOf(createPool()[index], ["missing", "there"]);
    expect(found).toMatchObject({ topicMetadata: [{ topic: "missing" }, { topic: "there" }] });
  });

  it("fails with a forbidden topic: whoever takes part without a retry topic does not know who is parked there", async () => {
    const found = metadataOf(createPool()[0], ["there", "forbidden"]);
    await expect(found).rejects.toMatchObject({ type: "TOPIC_AUTHORIZATION_FAILED" });
  });

  it("waits for a topic that only lacks a leader, as kafkajs does", async () => {
    await expect(metadataOf(createPool()[0], ["there", "leaderless"])).rejects.toMatchObject({
      type: "LEADER_NOT_AVAILABLE",
      retriable: true,
    });
  });
});

describe("sendTo", () => {
  it.each([
    ["KafkaJSConnectionClosedError", ["disconnect"]],
    ["KafkaJSProtocolError", []],
  ])("after a %s, the connection is given up or not: %j", async (name, expected) => {
    const broker = createBroker();
    const failing = { send: () => Promise.reject(Object.assign(new Error("No"), { name })) };
    const request = {} as BrokerRequest;
    await expect(sendRequest(Object.assign(broker, { connectionPool: failing }), request)).rejects.toThrow("No");
    expect(broker.log).toEqual(expected);
  });
});

it("the kafkajs that is installed has everything that is reached into", () => {
  const { cluster, admin } = createAdminCluster(createKafka({ brokers: ["127.0.0.1:1"], clientId: "c", logLevel: 0 }));
  expect([typeof cluster.refreshMetadata, typeof cluster.findBroker, typeof admin.createPartitions]).toEqual(
    Array.from({ length: 3 }, () => "function"),
  );
  expect(cluster.brokerPool).toMatchObject({ brokers: {}, metadata: null });
  expect(() => createAdminCluster({} as Parameters<typeof createAdminCluster>[0])).toThrow(
    /not the kafkajs that we know/,
  );
});
