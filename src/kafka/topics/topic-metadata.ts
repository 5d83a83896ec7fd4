import { createRequire } from "node:module";

import type { ApiVersions, BrokerRequest } from "../cluster.ts";

interface Encoder {
  writeInt8(value: number): this;
  writeBoolean(value: boolean): this;
  writeBuffer(value: Buffer): this;
  writeUVarInt(value: number): this;
  writeUVarIntString(value: string): this;
  writeUVarIntArray(entries: readonly Encoder[]): this;
}

interface Decoder {
  readInt16(): number;
  readInt32(): number;
  readBoolean(): boolean;
  readBytes(length: number): Buffer;
  readUVarIntString(): string | null;
  readUVarIntArray<T>(read: (decoder: Decoder) => T): T[] | null;
  readTaggedFields(): unknown;
}

/** A topic as Kafka describes it, in kafkajs's words. */
export interface TopicMetadata {
  readonly topicErrorCode: number;
  readonly topic: string;
  /** Undefined where the broker does not tell: Kafka before 2.8. */
  readonly topicId?: string | undefined;
  readonly operations?: number | undefined;
  readonly partitionMetadata: readonly {
    readonly partitionErrorCode: number;
    readonly partitionId: number;
    /** -1 where there is none. */
    readonly leader: number;
    readonly replicas: readonly number[];
  }[];
}

/** What the cluster says of a topic when asked by its name. */
export interface TopicState {
  readonly topic: string;
  /** Kafka's name of it, as `UNKNOWN_TOPIC_OR_PARTITION` or `TOPIC_AUTHORIZATION_FAILED`. */
  readonly error: string | undefined;
  /** 22 characters; another one where a topic of the same name was made anew. */
  readonly id: string | undefined;
  /** What this user may do with it, a bit for each of Kafka's operations; undefined if the broker does not tell. */
  readonly operations: number | undefined;
  readonly partitions: number;
  readonly replication: number;
}

interface KafkajsMetadata {
  readonly topicMetadata: readonly TopicMetadata[];
}

type Requests = (options: { topics: readonly string[]; allowAutoTopicCreation: boolean }) => BrokerRequest;

const require = createRequire(import.meta.url);
const EncoderClass = require("kafkajs/src/protocol/encoder") as new () => Encoder;
const DecoderClass = require("kafkajs/src/protocol/decoder") as new (raw: Buffer) => Decoder;
const { parse } = require("kafkajs/src/protocol/requests/metadata/v6/response") as {
  parse: (metadata: KafkajsMetadata) => Promise<KafkajsMetadata>;
};
const { requests, lookup } = require("kafkajs/src/protocol/requests") as {
  requests: { Metadata: object };
  lookup: (versions: ApiVersions) => (apiKey: number, request: object) => Requests;
};
const { createErrorFromCode } = require("kafkajs/src/protocol/error") as {
  createErrorFromCode: (code: number) => { readonly type: string };
};

const apiKey = 3;
/** The first that tells the ids of topics, and the last whose answer has this form. */
const withIds = { first: 10, last: 12 };
const noId = Buffer.alloc(16);
/** In the place of the operations. */
const untold = -(2 ** 31);

const topicOf = (name: string): Encoder =>
  new EncoderClass().writeBuffer(noId).writeUVarIntString(name).writeUVarInt(0);

/** Its header ends with a field that kafkajs does not know: no tags. */
const encodeWithIds = (version: number, topics: readonly string[]): Encoder => {
  const body = new EncoderClass()
    .writeUVarInt(0)
    .writeUVarIntArray(topics.map((name) => topicOf(name)))
    .writeBoolean(false);
  return (version === withIds.first ? body.writeBoolean(false) : body).writeBoolean(true).writeUVarInt(0);
};

const tagged = <T>(decoder: Decoder, value: T): T => {
  decoder.readTaggedFields();
  return value;
};

const readNumbers = (decoder: Decoder): number[] => decoder.readUVarIntArray((one) => one.readInt32()) ?? [];

const readBroker = (decoder: Decoder) => {
  const [nodeId, host, port] = [decoder.readInt32(), decoder.readUVarIntString(), decoder.readInt32()];
  return tagged(decoder, { nodeId, host, port, rack: decoder.readUVarIntString() });
};

const readPartition = (decoder: Decoder) => {
  const [partitionErrorCode, partitionId, leader] = [decoder.readInt16(), decoder.readInt32(), decoder.readInt32()];
  decoder.readInt32(); // The leader's epoch.
  const [replicas, isr, offlineReplicas] = [readNumbers(decoder), readNumbers(decoder), readNumbers(decoder)];
  return tagged(decoder, { partitionErrorCode, partitionId, leader, replicas, isr, offlineReplicas });
};

const readTopic = (decoder: Decoder) => {
  const [topicErrorCode, topic, id] = [decoder.readInt16(), decoder.readUVarIntString() ?? "", decoder.readBytes(16)];
  const topicId = id.equals(noId) ? undefined : id.toString("base64url");
  const isInternal = decoder.readBoolean();
  const partitionMetadata = decoder.readUVarIntArray(readPartition) ?? [];
  const bits = decoder.readInt32();
  const operations = bits === untold ? undefined : bits;
  return tagged(decoder, { topicErrorCode, topic, topicId, isInternal, partitionMetadata, operations });
};

const decodeWithIds = async (raw: Buffer) => {
  const decoder = new DecoderClass(raw);
  decoder.readTaggedFields();
  const clientSideThrottleTime = decoder.readInt32();
  const brokers = decoder.readUVarIntArray(readBroker) ?? [];
  const [clusterId, controllerId] = [decoder.readUVarIntString(), decoder.readInt32()];
  const topicMetadata = decoder.readUVarIntArray(readTopic) ?? [];
  return { throttleTime: 0, clientSideThrottleTime, brokers, clusterId, controllerId, topicMetadata };
};

/** kafkajs speaks no version that tells ids. */
const questionOf = (versions: ApiVersions, topics: readonly string[]): BrokerRequest => {
  const version = Math.min(versions[apiKey]?.maxVersion ?? 0, withIds.last);
  if (version < withIds.first)
    return lookup(versions)(apiKey, requests.Metadata)({ topics, allowAutoTopicCreation: false });
  const encode = async (): Promise<Encoder> => encodeWithIds(version, topics);
  const request = { apiKey, apiVersion: version, apiName: "Metadata", encode };
  return { request, response: { decode: decodeWithIds, parse } };
};

/** Kafka's name of an error; undefined for none. */
const errorOf = (code: number): string | undefined => (code === 0 ? undefined : createErrorFromCode(code).type);

/** Asks for these topics only. An error of a topic that is not tolerated fails the whole question, as kafkajs does for any. */
export const metadataRequest = (
  versions: ApiVersions,
  topics: readonly string[],
  isTolerated: (error: string | undefined) => boolean,
): BrokerRequest => {
  const { request, response } = questionOf(versions, topics);
  const parseTolerantly = async (metadata: KafkajsMetadata): Promise<KafkajsMetadata> => {
    const strict = metadata.topicMetadata.filter(({ topicErrorCode }) => !isTolerated(errorOf(topicErrorCode)));
    await parse({ topicMetadata: strict });
    return metadata;
  };
  return { request, response: { decode: response.decode, parse: parseTolerantly } };
};

/** The topics of an answer, in the order in which they were asked for. */
export const topicStates = (topics: readonly string[], { topicMetadata }: KafkajsMetadata): TopicState[] => {
  const byName = new Map(topicMetadata.map((entry) => [entry.topic, entry]));
  return topics.map((topic) => {
    const { topicErrorCode = 3, topicId, operations, partitionMetadata = [] } = byName.get(topic) ?? {};
    const replication = partitionMetadata[0]?.replicas.length ?? 1;
    const error = errorOf(topicErrorCode);
    return { topic, error, id: topicId, operations, partitions: partitionMetadata.length, replication };
  });
};
