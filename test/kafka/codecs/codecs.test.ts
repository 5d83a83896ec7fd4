import { randomBytes } from "node:crypto";
import { zstdCompressSync } from "node:zlib";

import kafkajs from "kafkajs";
import { compressFrameSync } from "lz4-napi";
import { compressSync } from "snappy";
import { describe, expect, it, vi } from "vitest";

import { UnreadableBatch } from "../../../src/kafka/codecs/codec-error.ts";
import { codecNames, loadCodec } from "../../../src/kafka/codecs/codec.ts";
import {
  compressionType,
  compressionFallbacks,
  decompress,
  maxBatchBytes,
  registerCodecs,
} from "../../../src/kafka/codecs/codecs.ts";

registerCodecs();

const ofKafkajs = (type: number) =>
  (kafkajs.CompressionCodecs as Record<number, () => typeof kafkajs.CompressionCodecs>)[type]?.() as unknown as {
    compress(encoder: { buffer: Buffer }): Promise<Buffer>;
    decompress(packed: Buffer): Promise<Buffer>;
  };

const pack = (name: (typeof codecNames)[number], raw: Buffer): Promise<Buffer> =>
  ofKafkajs(compressionType(name)).compress({ buffer: raw });

const unreadable = (reason: string) =>
  expect.objectContaining({ constructor: UnreadableBatch, reason }) as UnreadableBatch;

const int32 = (number: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(number);
  return bytes;
};
const javaHeader = Buffer.concat([Buffer.from("\x82SNAPPY\0", "latin1"), int32(1), int32(1)]);

const text = "gainstream ".repeat(10);

/**
 * The compressed text of kafka-clients 4.1.0: `Compression.of(type).build().wrapForOutput(buffer, 2)`, the text, a flush, the text again.
 * So snappy and lz4 have two blocks each.
 */
const fromJava = {
  gzip: "H4sIAAAAAAAA/0tPzMwrLilKTcxVSB9uTAB5vgd33AAAAA==",
  snappy: "glNOQVBQWQAAAAABAAAAAQAAABNuKGdhaW5zdHJlYW0g/gsAigsAAAAAE24oZ2FpbnN0cmVhbSD+CwCKCwA=",
  lz4: "BCJNGGBAghUAAAC/Z2FpbnN0cmVhbSALAEtQcmVhbSAVAAAAv2dhaW5zdHJlYW0gCwBLUHJlYW0gAAAAAA==",
  zstd: "KLUv/QBYlAAAWGdhaW5zdHJlYW0gAQDAafECPAAACGcBACoFQgEAAA==",
};

describe.each(codecNames)("%s", (name) => {
  it("reads batches of Java producers", async () => {
    expect(String(await decompress(name, Buffer.from(fromJava[name], "base64")))).toBe(text + text);
  });

  it.each([
    ["nothing", Buffer.alloc(0)],
    ["one byte", Buffer.from("x")],
    ["noise", randomBytes(100_000)],
    ["a megabyte of one byte", Buffer.alloc(1_000_000, "a")],
    ["as much as a batch may hold", Buffer.alloc(maxBatchBytes - (4 << 20), "a")],
  ])("reads its own compression of %s", async (_, raw) => {
    const packed = await pack(name, raw);
    expect(raw.equals(await ofKafkajs(compressionType(name)).decompress(packed))).toBe(true);
  });

  it("decompresses no more than the limit", async () => {
    const packed = await pack(name, Buffer.alloc(10_000_000, "a"));
    await expect(decompress(name, packed, 1_000_000)).rejects.toEqual(unreadable("too_large"));
    await expect(decompress(name, packed, 1_000_000)).rejects.toThrow(
      `Cannot decompress a ${name} batch: it holds more than 1000000 bytes`,
    );
  });

  it("refuses a decompression bomb before it takes memory", async () => {
    const bomb = await pack(name, Buffer.alloc(maxBatchBytes * 2, 0));
    const before = process.memoryUsage().rss;
    await expect(decompress(name, bomb)).rejects.toEqual(unreadable("too_large"));
    expect(process.memoryUsage().rss - before).toBeLessThan(2.5 * maxBatchBytes);
  });

  it("reports corrupt bytes, wherever they are cut or changed", async () => {
    const packed = await pack(name, randomBytes(300));
    const corrupt = [Buffer.alloc(0), Buffer.from("no such thing"), packed.subarray(0, -5), packed.subarray(3)];
    for (const bytes of corrupt) await expect(decompress(name, bytes)).rejects.toEqual(unreadable("corrupt"));
    for (let at = 0; at < packed.length; at++) {
      const changed = Buffer.from(packed);
      changed[at] = (changed[at] ?? 0) ^ 0xff;
      const tried = [changed, packed.subarray(0, at)].map((bytes) => decompress(name, bytes));
      for (const end of await Promise.allSettled(tried))
        // The batch's checksum catches what a codec does not.
        expect(end.status === "fulfilled" || end.reason instanceof UnreadableBatch).toBe(true);
    }
  });
});

describe("snappy", () => {
  it("reads a single block without a frame, as librdkafka and franz-go write it", async () => {
    expect(String(await decompress("snappy", compressSync(text)))).toBe(text);
  });

  const block = (claim: number, length: number) => Buffer.concat([varint(claim), Buffer.alloc(length)]);
  const varint = (value: number): Buffer =>
    value < 0x80
      ? Buffer.from([value])
      : Buffer.concat([Buffer.from([(value % 0x80) | 0x80]), varint(Math.floor(value / 0x80))]);

  it.each([
    ["more than its bytes can hold", block(1_000_000, 10)],
    ["4 GiB", block(2 ** 32 - 1, 10)],
    ["more than a length can be", Buffer.alloc(20, 0xff)],
  ])("refuses a block that claims %s", async (_, packed) => {
    const sentence = "Cannot decompress a snappy batch: a block claims a length that it cannot have";
    await expect(decompress("snappy", packed)).rejects.toThrow(sentence);
  });

  it("adds up the claimed lengths of all blocks before it decompresses one", async () => {
    const zeros = compressSync(Buffer.alloc(400_000));
    const blocks = [1, 2, 3].flatMap(() => [int32(zeros.length), zeros]);
    const packed = Buffer.concat([javaHeader, ...blocks]);
    expect(await decompress("snappy", packed, 1_200_000)).toHaveLength(1_200_000);
    await expect(decompress("snappy", packed, 1_199_999)).rejects.toEqual(unreadable("too_large"));
  });

  it.each([-1, 3, 2 ** 31 - 1])("refuses a block of %d bytes in a frame of 2", async (length) => {
    const packed = Buffer.concat([javaHeader, int32(length), Buffer.from("ab")]);
    await expect(decompress("snappy", packed)).rejects.toThrow("a block ends beyond the batch");
  });
});

describe("lz4", () => {
  const packed = compressFrameSync(Buffer.from(text), { contentChecksum: true, blockChecksums: true });

  it("reads frames with checksums, as Go's producers write them", async () => {
    expect(String(await decompress("lz4", packed))).toBe(text);
  });

  it("checks them", async () => {
    const changed = Buffer.from(packed);
    changed[packed.length - 1] = (changed[packed.length - 1] ?? 0) ^ 1;
    await expect(decompress("lz4", changed)).rejects.toThrow("Cannot decompress a lz4 batch: ContentChecksumError");
  });
});

describe("zstd", () => {
  it("reads several frames to their end", async () => {
    const frames = [text, text, text].map((part) => zstdCompressSync(part));
    expect(String(await decompress("zstd", Buffer.concat(frames)))).toBe(text.repeat(3));
    await expect(decompress("zstd", Buffer.concat(frames), 3 * text.length - 1)).rejects.toEqual(
      unreadable("too_large"),
    );
  });

  it("does not allocate the window that a header claims", async () => {
    const lie = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 17 << 3, 0x01, 0x00, 0x00]);
    const before = process.memoryUsage().rss;
    expect(await decompress("zstd", lie)).toHaveLength(0);
    expect(process.memoryUsage().rss - before).toBeLessThan(32 << 20);
  });
});

describe("compressionFallbacks()", () => {
  it.each([
    ["none", ["none", "gzip", "zstd"]],
    ["gzip", ["gzip", "zstd", "none"]],
    ["snappy", ["snappy", "gzip", "zstd", "none"]],
    ["zstd", ["zstd", "gzip", "none"]],
  ] as const)("begins with %s, continues with codecs that compress better, and ends with none", (first, all) => {
    expect(compressionFallbacks(first)).toEqual(all);
  });
});

describe("a codec that cannot be used", () => {
  it.each([5, 6, 7])("is one that Kafka does not have: %d, which kafkajs would take for no compression", (type) => {
    expect(() => ofKafkajs(type)).toThrow(unreadable("unknown_codec"));
    expect(() => ofKafkajs(type)).toThrow(`Kafka has no compression type ${type}`);
  });

  it("is one whose package is not installed", async () => {
    const loading = loadCodec("lz4", vi.fn().mockRejectedValue(new Error("Cannot find native binding")));
    await expect(loading).rejects.toEqual(unreadable("codec_missing"));
    await expect(loading).rejects.toThrow("Cannot load the package for lz4: Cannot find native binding; install");
  });
});
