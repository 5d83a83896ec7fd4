import {
  type ApiVersions,
  type BrokerRequest,
  type ClusterMetadata,
  type Decoder,
  type Encoder,
  apiKeys,
  createDecoder,
  createEncoder,
  createMetadataRequest,
  errorTypeOfCode,
  throwMetadataErrors,
} from "../protocol.ts";

/** The state of one topic, as the cluster answers a request for it by name. */
export interface TopicState {
  readonly topic: string;
  /** The name of its error code, such as `UNKNOWN_TOPIC_OR_PARTITION` or `TOPIC_AUTHORIZATION_FAILED`; undefined for none. */
  readonly error: string | undefined;
  /** Kafka's id of the topic, 22 characters of base64url. A topic that is deleted and created again gets another one (KIP-516). */
  readonly id: string | undefined;
  /** What this user may do with it, one bit for each of Kafka's operations (KIP-430); undefined if the broker does not send it. */
  readonly operations: number | undefined;
  readonly partitions: number;
  readonly replicationFactor: number;
}

/**
 * The versions of the request that this file encodes: the first one whose answer has the ids of topics, and the last one whose answer
 * has the same form (https://github.com/apache/kafka/blob/trunk/clients/src/main/resources/common/message/MetadataResponse.json).
 */
const versionsWithTopicIds = { first: 10, last: 12 };
/** Stands for a topic that is named, and for an id that the broker does not send. */
const zeroTopicId = Buffer.alloc(16);
/** Stands for operations that the broker does not send. */
const operationsNotGiven = -(2 ** 31);

const encodeTopic = (name: string): Encoder =>
  createEncoder().writeBuffer(zeroTopicId).writeUVarIntString(name).writeUVarInt(0);

/** kafkajs writes the header without its tagged fields, so the body begins with a 0: none. */
const encodeWithIds = (version: number, topics: readonly string[]): Encoder => {
  const body = createEncoder()
    .writeUVarInt(0)
    .writeUVarIntArray(topics.map((name) => encodeTopic(name)))
    .writeBoolean(false);
  return (version === versionsWithTopicIds.first ? body.writeBoolean(false) : body).writeBoolean(true).writeUVarInt(0);
};

const skipTaggedFields = <T>(decoder: Decoder, value: T): T => {
  decoder.readTaggedFields();
  return value;
};

const readInt32Array = (decoder: Decoder): number[] => decoder.readUVarIntArray((element) => element.readInt32()) ?? [];

const readBroker = (decoder: Decoder) => {
  const [nodeId, host, port] = [decoder.readInt32(), decoder.readUVarIntString(), decoder.readInt32()];
  return skipTaggedFields(decoder, { nodeId, host, port, rack: decoder.readUVarIntString() });
};

const readPartition = (decoder: Decoder) => {
  const [partitionErrorCode, partitionId, leader] = [decoder.readInt16(), decoder.readInt32(), decoder.readInt32()];
  decoder.readInt32(); // The leader's epoch
  const [replicas, isr, offlineReplicas] = [readInt32Array(decoder), readInt32Array(decoder), readInt32Array(decoder)];
  return skipTaggedFields(decoder, { partitionErrorCode, partitionId, leader, replicas, isr, offlineReplicas });
};

const readTopic = (decoder: Decoder) => {
  const [topicErrorCode, topic, id] = [decoder.readInt16(), decoder.readUVarIntString() ?? "", decoder.readBytes(16)];
  const topicId = id.equals(zeroTopicId) ? undefined : id.toString("base64url");
  const isInternal = decoder.readBoolean();
  const partitionMetadata = decoder.readUVarIntArray(readPartition) ?? [];
  const bits = decoder.readInt32();
  const operations = bits === operationsNotGiven ? undefined : bits;
  return skipTaggedFields(decoder, { topicErrorCode, topic, topicId, isInternal, partitionMetadata, operations });
};

const decodeWithIds = async (raw: Buffer) => {
  const decoder = createDecoder(raw);
  decoder.readTaggedFields();
  const clientSideThrottleTime = decoder.readInt32();
  const brokers = decoder.readUVarIntArray(readBroker) ?? [];
  const [clusterId, controllerId] = [decoder.readUVarIntString(), decoder.readInt32()];
  const topicMetadata = decoder.readUVarIntArray(readTopic) ?? [];
  return { throttleTime: 0, clientSideThrottleTime, brokers, clusterId, controllerId, topicMetadata };
};

/** The newest version that the broker knows, since kafkajs itself knows none with the ids of topics. */
const createTopicsRequest = (versions: ApiVersions, topics: readonly string[]): BrokerRequest => {
  const version = Math.min(versions[apiKeys.metadata]?.maxVersion ?? 0, versionsWithTopicIds.last);
  if (version < versionsWithTopicIds.first)
    return createMetadataRequest(versions, { topics, allowAutoTopicCreation: false });
  const encode = async (): Promise<Encoder> => encodeWithIds(version, topics);
  const request = { apiKey: apiKeys.metadata, apiVersion: version, apiName: "Metadata", encode };
  return { request, response: { decode: decodeWithIds, parse: throwMetadataErrors } };
};

/**
 * A request for the metadata of these topics only. It fails if a topic has an error that `isTolerated` does not accept; kafkajs's own
 * request fails at any error of any topic.
 */
export const tolerantMetadataRequest = (
  versions: ApiVersions,
  topics: readonly string[],
  isTolerated: (error: string | undefined) => boolean,
): BrokerRequest => {
  const { request, response } = createTopicsRequest(versions, topics);
  const parse = async (metadata: ClusterMetadata): Promise<ClusterMetadata> => {
    const untolerated = metadata.topicMetadata.filter(
      ({ topicErrorCode }) => !isTolerated(errorTypeOfCode(topicErrorCode)),
    );
    await throwMetadataErrors({ topicMetadata: untolerated });
    return metadata;
  };
  return { request, response: { decode: response.decode, parse } };
};

const unknownTopicCode = 3;

/** The states of these topics, in this order. A topic that the metadata does not mention does not exist. */
export const topicStates = (topics: readonly string[], { topicMetadata }: ClusterMetadata): TopicState[] => {
  const byName = new Map(topicMetadata.map((entry) => [entry.topic, entry]));
  return topics.map((topic) => {
    const { topicErrorCode = unknownTopicCode, topicId, operations, partitionMetadata = [] } = byName.get(topic) ?? {};
    const replicationFactor = partitionMetadata[0]?.replicas.length ?? 1;
    const error = errorTypeOfCode(topicErrorCode);
    return { topic, error, id: topicId, operations, partitions: partitionMetadata.length, replicationFactor };
  });
};
