import { pbkdf2Sync, randomBytes } from "node:crypto";
import { createRequire } from "node:module";

import { createAdminCluster, sendRequest } from "../../src/kafka/cluster.ts";
import { journeyKafka } from "../journeys/cluster.ts";

export interface ScramUser {
  readonly mechanism: "scram-sha-256" | "scram-sha-512";
  readonly username: string;
  readonly password: string;
}

interface Encoder {
  writeInt8(value: number): this;
  writeInt32(value: number): this;
  writeUVarInt(value: number): this;
  writeUVarIntString(value: string): this;
  writeUVarIntBytes(value: Buffer): this;
  writeUVarIntArray(entries: readonly Encoder[]): this;
}

interface Decoder {
  readInt16(): number;
  readInt32(): number;
  readUVarIntString(): string | null;
  readUVarIntArray<T>(read: (decoder: Decoder) => T): T[] | null;
  readTaggedFields(): unknown;
}

const require = createRequire(import.meta.url);
const EncoderClass = require("kafkajs/src/protocol/encoder") as new () => Encoder;
const DecoderClass = require("kafkajs/src/protocol/decoder") as new (raw: Buffer) => Decoder;

const apiKey = 51;
const iterations = 4096;
const kinds = {
  "scram-sha-256": { id: 1, hash: "sha256", bytes: 32 },
  "scram-sha-512": { id: 2, hash: "sha512", bytes: 64 },
};

const encode = async ({ mechanism, username, password }: ScramUser): Promise<Encoder> => {
  const { id, hash, bytes } = kinds[mechanism];
  const salt = randomBytes(16);
  const salted = pbkdf2Sync(password, salt, iterations, bytes, hash);
  const entry = new EncoderClass()
    .writeUVarIntString(username)
    .writeInt8(id)
    .writeInt32(iterations)
    .writeUVarIntBytes(salt)
    .writeUVarIntBytes(salted)
    .writeUVarInt(0);
  // No tagged fields in the header, no deletions, one upsertion.
  return new EncoderClass().writeUVarInt(0).writeUVarIntArray([]).writeUVarIntArray([entry]).writeUVarInt(0);
};

const decode = async (raw: Buffer): Promise<string[]> => {
  const decoder = new DecoderClass(raw);
  decoder.readTaggedFields();
  decoder.readInt32();
  const results = decoder.readUVarIntArray((one) => {
    const [user, code, message] = [one.readUVarIntString(), one.readInt16(), one.readUVarIntString()];
    one.readTaggedFields();
    return code === 0 ? "" : `Cannot set the password of ${user}: ${message} (${code})`;
  });
  return (results ?? []).filter((problem) => problem !== "");
};

/** Sets the password of a user with Kafka's request AlterUserScramCredentials: kafka-configs.sh is in different packages in different versions. */
export const setScramPassword = async (brokers: string, user: ScramUser): Promise<void> => {
  const { cluster } = createAdminCluster(journeyKafka(brokers));
  await cluster.connect();
  try {
    const broker = await cluster.brokerPool.findConnectedBroker();
    const request = { apiKey, apiVersion: 0, apiName: "AlterUserScramCredentials", encode: () => encode(user) };
    const problems = await sendRequest(broker, { request, response: { decode, parse: async (decoded) => decoded } });
    if (String(problems) !== "") throw new Error(String(problems));
  } finally {
    await cluster.disconnect();
  }
};
