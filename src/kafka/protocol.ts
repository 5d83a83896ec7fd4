import { createRequire } from "node:module";

import type { FetchedRecord } from "./fetch/records.ts";

/*
 * The one door to those parts inside kafkajs 2.2.4 that speak Kafka's protocol (https://github.com/apache/kafka/tree/trunk/clients/src/main/resources/common/message).
 * kafkajs does not export them and may change them in any version: see "Pinned for a reason" in CONTRIBUTING.md.
 */

/** The keys of the requests that this service encodes, decodes or sends itself (https://kafka.apache.org/protocol#protocol_api_keys). */
export const apiKeys = { fetch: 1, listOffsets: 2, metadata: 3 } as const;

/** The versions of each kind of request that a broker understands, by the request's key. */
export type ApiVersions = Readonly<Record<number, { readonly maxVersion: number } | undefined>>;

/** A request as kafkajs sends it; the result is what `parse` returns for the decoded answer. */
export interface BrokerRequest {
  readonly request: {
    readonly apiKey: number;
    readonly apiVersion: number;
    readonly apiName: string;
    readonly encode: () => Promise<unknown>;
  };
  readonly response: {
    readonly decode: (raw: Buffer) => Promise<unknown>;
    readonly parse: (decoded: never) => Promise<unknown>;
  };
}

/** Writes the types of Kafka's protocol; `UVarInt` marks those of its flexible versions (KIP-482). */
export interface Encoder {
  writeInt8(value: number): this;
  writeBoolean(value: boolean): this;
  writeBuffer(value: Buffer): this;
  writeUVarInt(value: number): this;
  writeUVarIntString(value: string): this;
  writeUVarIntArray(entries: readonly Encoder[]): this;
}

/** Reads the types of Kafka's protocol, one after the other. */
export interface Decoder {
  readInt16(): number;
  readInt32(): number;
  readInt64(): bigint;
  readBoolean(): boolean;
  readBytes(length: number): Buffer;
  readString(): string | null;
  readArray<T>(read: (decoder: Decoder) => T): T[];
  readArrayAsync<T>(read: (decoder: Decoder) => Promise<T>): Promise<T[]>;
  readUVarIntString(): string | null;
  readUVarIntArray<T>(read: (decoder: Decoder) => T): T[] | null;
  readTaggedFields(): unknown;
}

/** A topic as a broker describes it, in kafkajs's form. */
export interface TopicMetadata {
  readonly topicErrorCode: number;
  readonly topic: string;
  /** Undefined if the broker does not send it: Kafka before 2.8. */
  readonly topicId?: string | undefined;
  readonly operations?: number | undefined;
  readonly partitionMetadata: readonly {
    readonly partitionErrorCode: number;
    readonly partitionId: number;
    /** The leader's node id; -1 if the partition has no leader. */
    readonly leader: number;
    readonly replicas: readonly number[];
  }[];
}

/** The answer to a request for metadata, in kafkajs's form. */
export interface ClusterMetadata {
  readonly topicMetadata: readonly TopicMetadata[];
}

interface MetadataRequest {
  readonly topics: readonly string[];
  readonly allowAutoTopicCreation: boolean;
}

interface ListOffsetsRequest {
  readonly replicaId: number;
  readonly isolationLevel: number;
  readonly topics: readonly { topic: string; partitions: readonly { partition: number; timestamp: number }[] }[];
}

type CreateRequest<Request> = (request: Request) => BrokerRequest;

/** One kind of request in all versions that kafkajs knows. */
interface RequestDefinition<Request> {
  readonly protocol: (options: { readonly version: number }) => CreateRequest<Request>;
}

interface Requests {
  readonly requests: {
    readonly ListOffsets: RequestDefinition<ListOffsetsRequest>;
    readonly Metadata: RequestDefinition<MetadataRequest>;
  };
  /** Chooses the newest version that both kafkajs and the broker know. */
  readonly lookup: (
    versions: ApiVersions,
  ) => <Request>(apiKey: number, definition: RequestDefinition<Request>) => CreateRequest<Request>;
}

const require = createRequire(import.meta.url);
const EncoderClass = require("kafkajs/src/protocol/encoder") as new () => Encoder;
const DecoderClass = require("kafkajs/src/protocol/decoder") as new (raw: Buffer) => Decoder;
const { requests, lookup } = require("kafkajs/src/protocol/requests") as Requests;
const { createErrorFromCode } = require("kafkajs/src/protocol/error") as {
  readonly createErrorFromCode: (code: number) => { readonly type: string };
};
const metadataResponse = require("kafkajs/src/protocol/requests/metadata/v6/response") as {
  readonly parse: (metadata: ClusterMetadata) => Promise<ClusterMetadata>;
};
const decodeEntries = require("kafkajs/src/protocol/messageSet/decoder") as (
  decoder: Decoder,
  size: number,
) => Promise<Omit<FetchedRecord, "headers" | "batchContext">[]>;

export const createEncoder = (): Encoder => new EncoderClass();

export const createDecoder = (raw: Buffer): Decoder => new DecoderClass(raw);

/** The name of an error code, such as `UNKNOWN_TOPIC_OR_PARTITION` for 3; undefined for 0, which means no error. */
export const errorTypeOfCode = (code: number): string | undefined =>
  code === 0 ? undefined : createErrorFromCode(code).type;

export const createMetadataRequest = (versions: ApiVersions, request: MetadataRequest): BrokerRequest =>
  lookup(versions)(apiKeys.metadata, requests.Metadata)(request);

export const createListOffsetsRequest = (versions: ApiVersions, request: ListOffsetsRequest): BrokerRequest =>
  lookup(versions)(apiKeys.listOffsets, requests.ListOffsets)(request);

/** Returns the metadata unless a topic or a partition has an error, which it throws, with kafkajs's choice of what is retriable. */
export const throwMetadataErrors = (metadata: ClusterMetadata): Promise<ClusterMetadata> =>
  metadataResponse.parse(metadata);

/** Reads the records of a message set, Kafka's format before 0.11, and decompresses them. */
export const decodeMessageSet = (bytes: Buffer): ReturnType<typeof decodeEntries> =>
  decodeEntries(createDecoder(bytes), bytes.length);
