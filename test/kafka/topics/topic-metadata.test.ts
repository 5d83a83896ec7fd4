import { describe, expect, it } from "vitest";

import { tolerantMetadataRequest, topicStates } from "../../../src/kafka/topics/topic-metadata.ts";

const bytesOf = async (maxVersion: number, topics: readonly string[]): Promise<{ version: number; bytes: Buffer }> => {
  const { request } = tolerantMetadataRequest({ 3: { maxVersion } }, topics, () => true);
  const { buffer } = (await request.encode()) as { buffer: Buffer };
  return { version: request.apiVersion, bytes: buffer };
};

const int32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
};
const text = (value: string): Buffer => Buffer.concat([Buffer.from([value.length + 1]), Buffer.from(value)]);
const id = Buffer.from("000102030405060708090a0b0c0d0e0f", "hex");

/** Version 12 of the answer (https://kafka.apache.org/protocol#The_Messages_Metadata), with a field of a later Kafka at its end. */
const answer = Buffer.concat([
  Buffer.from([0]),
  int32(0),
  Buffer.from([2]),
  int32(1),
  text("127.0.0.1"),
  int32(9092),
  Buffer.from([0, 0]),
  text("cluster"),
  int32(1),
  Buffer.from([4]),
  Buffer.from([0, 0]),
  text("a"),
  id,
  Buffer.from([0, 2]),
  Buffer.from([0, 0]),
  int32(0),
  int32(1),
  int32(0),
  Buffer.from([3]),
  int32(1),
  int32(2),
  Buffer.from([1, 1, 0]),
  int32((1 << 3) | (1 << 8)),
  Buffer.from([0]),
  Buffer.from([0, 3]),
  text("b"),
  Buffer.alloc(16),
  Buffer.from([0, 1]),
  int32(-(2 ** 31)),
  Buffer.from([0]),
  Buffer.from([0, 29]),
  text("c"),
  Buffer.alloc(16),
  Buffer.from([0, 1]),
  int32(-(2 ** 31)),
  Buffer.from([0]),
  Buffer.from([1, 9, 3, 1, 2]),
]);

const absent = (error: string | undefined): boolean => error === "UNKNOWN_TOPIC_OR_PARTITION";

const read = async (isTolerated: (error: string | undefined) => boolean) => {
  const { response } = tolerantMetadataRequest({ 3: { maxVersion: 13 } }, ["a", "b", "c"], isTolerated);
  return (await response.parse((await response.decode(answer)) as never)) as Parameters<typeof topicStates>[1];
};

describe("tolerantMetadataRequest()", () => {
  it.each([
    [13, 12, "00 02 00000000000000000000000000000000 02 61 00 00 01 00"],
    [11, 11, "00 02 00000000000000000000000000000000 02 61 00 00 01 00"],
    [10, 10, "00 02 00000000000000000000000000000000 02 61 00 00 00 01 00"],
    [9, 6, "00000001 0001 61 00"],
    [4, 4, "00000001 0001 61 00"],
  ])("for a broker that speaks version %i has version %i, and creates no topic", async (max, version, hex) => {
    const sent = await bytesOf(max, ["a"]);
    expect(sent).toEqual({ version, bytes: Buffer.from(hex.replaceAll(" ", ""), "hex") });
  });

  it("reads ids, rights, partitions and replication, and the error of each topic", async () => {
    const untold = { id: undefined, operations: undefined, partitions: 0, replicationFactor: 1 };
    expect(topicStates(["c", "a", "b", "d"], await read(() => true))).toEqual([
      { topic: "c", error: "TOPIC_AUTHORIZATION_FAILED", ...untold },
      {
        topic: "a",
        error: undefined,
        id: id.toString("base64url"),
        operations: 264,
        partitions: 1,
        replicationFactor: 2,
      },
      { topic: "b", error: "UNKNOWN_TOPIC_OR_PARTITION", ...untold },
      { topic: "d", error: "UNKNOWN_TOPIC_OR_PARTITION", ...untold },
    ]);
  });

  it("fails as a whole only for an error that is not tolerated", async () => {
    await expect(read(absent)).rejects.toMatchObject({ type: "TOPIC_AUTHORIZATION_FAILED" });
  });
});
