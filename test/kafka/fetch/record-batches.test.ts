import { createRequire } from "node:module";
import { gzipSync } from "node:zlib";

import {
  array,
  assert as assertProperty,
  asyncProperty,
  constantFrom,
  nat,
  option,
  record as recordOf,
  string,
  tuple,
  uint8Array,
} from "fast-check";
import { describe, expect, it } from "vitest";

import { crc32c } from "../../../src/kafka/fetch/crc32c.ts";
import { readBatches as readWithin } from "../../../src/kafka/fetch/record-batches.ts";
import type { FetchedRecord } from "../../../src/kafka/fetch/records.ts";
import {
  type BatchShape,
  type PlainRecord,
  batchBytes,
  firstTimestamp,
  messageBytes,
  recordBytes,
  sealed,
  varint,
} from "./batch-bytes.ts";

const require = createRequire(import.meta.url);
const Decoder = require("kafkajs/src/protocol/decoder") as new (bytes: Buffer) => object;
const kafkajsDecode = require("kafkajs/src/protocol/requests/fetch/v4/decodeMessages") as (
  decoder: object,
) => Promise<FetchedRecord[]>;

const readBatches = (bytes: Buffer, range: { readonly fetchOffset: number; readonly endOffset: number }) =>
  readWithin(bytes, { ...range, capacity: { bytes: Infinity } });

const recordsAt = (...deltas: number[]): PlainRecord[] =>
  deltas.map((offsetDelta) => ({ offsetDelta, key: `k${offsetDelta}`, value: `v${offsetDelta}` }));

const three = (base: number, more: Partial<BatchShape> = {}): Buffer =>
  batchBytes({ base, records: recordsAt(0, 1, 2), ...more });

const offsetsOf = (records: readonly FetchedRecord[]): number[] => records.map(({ offset }) => Number(offset));

/** The offsets that a consumer reads of these batches, and what it learns when it then fetches the next offset. */
const read = async (...batches: Buffer[]) => {
  const bytes = Buffer.concat(batches);
  const offsets = offsetsOf((await readBatches(bytes, { fetchOffset: 0, endOffset: 1_000 })).records);
  const { unreadable } = await readBatches(bytes, { fetchOffset: (offsets.at(-1) ?? -1) + 1, endOffset: 1_000 });
  return { offsets, unreadable };
};

const edited = (batch: Buffer, edit: (bytes: Buffer) => unknown): Buffer => {
  const copy = Buffer.from(batch);
  edit(copy);
  return copy;
};

const text = option(string({ unit: "binary", maxLength: 300 }), { nil: null });
const header = tuple(string({ maxLength: 5 }), text);
const record = recordOf({ key: text, value: text, headers: array(header, { maxLength: 4 }) });
const batch = recordOf({
  records: array(record, { minLength: 1, maxLength: 6 }),
  attributes: constantFrom(0, 1, 8, 9, 16, 32 + 16),
});

it("crc32c() is the checksum of RFC 3720", () => {
  expect(crc32c(Buffer.from("123456789"))).toBe(0xe306_9283);
  expect(crc32c(Buffer.alloc(32))).toBe(0x8a91_36aa);
  expect(crc32c(Buffer.alloc(0))).toBe(0);
});

describe("the records of good batches", () => {
  it("are those that kafkajs reads, field by field", async () => {
    await assertProperty(
      asyncProperty(array(batch, { maxLength: 4 }), async (shapes) => {
        let base = 5;
        const bytes = Buffer.concat(
          shapes.map(({ records, attributes }) => {
            const bytesOfBatch = batchBytes({
              base,
              attributes,
              records: records.map((one, offsetDelta) => ({ ...one, offsetDelta })),
            });
            base += records.length;
            return bytesOfBatch;
          }),
        );
        const size = Buffer.alloc(4);
        size.writeInt32BE(bytes.length);
        const expected = await kafkajsDecode(new Decoder(Buffer.concat([size, bytes])));
        const { records, unreadable } = await readBatches(bytes, { fetchOffset: 0, endOffset: 1_000 });
        expect(unreadable).toBeUndefined();
        const shown = (one: FetchedRecord) => {
          const { inTransaction, producerId } = one.batchContext;
          return { ...one, batchContext: { inTransaction, producerId } };
        };
        expect(records.map((one) => shown(one))).toEqual(expected.map((one) => shown(one)));
      }),
    );
  });

  it("keep headers that are null, empty, repeated, or named like a property of every object", async () => {
    const headers = [
      ["null", null],
      ["empty", ""],
      ["twice", "a"],
      ["twice", null],
      ["__proto__", "x"],
      ["constructor", null],
    ] as const;
    const { records } = await readBatches(batchBytes({ base: 0, records: [{ offsetDelta: 0, headers }] }), {
      fetchOffset: 0,
      endOffset: 1,
    });
    expect(Object.entries(records[0]?.headers ?? {})).toEqual([
      ["null", null],
      ["empty", Buffer.alloc(0)],
      ["twice", [Buffer.from("a"), null]],
      ["__proto__", Buffer.from("x")],
      ["constructor", null],
    ]);
  });

  it("may be many in one batch, and be cut in the middle of a batch at the end of the answer", async () => {
    const many = batchBytes({
      base: 0,
      records: Array.from({ length: 200_000 }, (_, offsetDelta) => ({ offsetDelta })),
    });
    const { records } = await readBatches(many, { fetchOffset: 0, endOffset: 1_000_000 });
    expect(records).toHaveLength(200_000);
    for (const cut of [1, 20, 60])
      expect(await read(three(0), three(3).subarray(0, cut))).toEqual({ offsets: [0, 1, 2], unreadable: undefined });
    expect(await read()).toEqual({ offsets: [], unreadable: undefined });
  });

  it("end with a control record if compaction has left a gap or no record, so that kafkajs passes the gap", async () => {
    const gap = batchBytes({ base: 0, records: recordsAt(0, 2), lastOffsetDelta: 9 });
    const nothing = batchBytes({ base: 10, records: [], lastOffsetDelta: 4, attributes: 1 });
    const { records } = await readBatches(Buffer.concat([gap, nothing, three(15)]), {
      fetchOffset: 0,
      endOffset: 1_000,
    });
    expect(records.map(({ offset, isControlRecord }) => [Number(offset), isControlRecord])).toEqual([
      [0, false],
      [2, false],
      [9, true],
      [14, true],
      [15, false],
      [16, false],
      [17, false],
    ]);
    expect(records[3]).toMatchObject({ timestamp: String(firstTimestamp), key: null });
  });

  it("may lie beyond the end offset that the broker reports: it notes that before it reads", async () => {
    const { records, unreadable } = await readBatches(Buffer.concat([three(0), three(3)]), {
      fetchOffset: 0,
      endOffset: 3,
    });
    expect([offsetsOf(records), unreadable]).toEqual([[0, 1, 2, 3, 4, 5], undefined]);
  });

  it("may be messages of the format before Kafka 0.11, between batches", async () => {
    const inner = Buffer.concat([messageBytes(0, "a"), messageBytes(1, "b")]);
    const bytes = Buffer.concat([messageBytes(0, "plain"), messageBytes(2, gzipSync(inner), 1), three(3)]);
    const { records, unreadable } = await readBatches(bytes, { fetchOffset: 0, endOffset: 1_000 });
    expect([offsetsOf(records), unreadable]).toEqual([[0, 1, 2, 3, 4, 5], undefined]);
    expect(records.slice(0, 3).map(({ value }) => String(value))).toEqual(["plain", "a", "b"]);
    expect(records[0]).toMatchObject({ headers: {}, batchContext: { producerId: "-1", inTransaction: false } });
  });
});

describe("the capacity of one answer", () => {
  const many = (base: number, count: number, more: Partial<BatchShape> = {}): Buffer =>
    batchBytes({ base, records: Array.from({ length: count }, (_, offsetDelta) => ({ offsetDelta })), ...more });

  /** Reads fetch after fetch, with this capacity for each answer. Returns the offsets of each answer. */
  const readFetchByFetch = async (bytes: Buffer, capacityBytes: number, end: number) => {
    const answers: number[][] = [];
    for (let from = 0; from < end;) {
      const { records } = await readWithin(bytes, {
        fetchOffset: from,
        endOffset: end,
        capacity: { bytes: capacityBytes },
      });
      // kafkajs drops records before the fetch offset.
      answers.push(offsetsOf(records).filter((offset) => offset >= from));
      const next = Number(records.at(-1)?.offset) + 1;
      if (!(next > from)) throw new Error(`Stuck at ${from}`);
      from = next;
    }
    return answers;
  };

  it("may end inside a batch, and the rest is read later: each record once", async () => {
    const bytes = Buffer.concat([
      many(0, 100),
      many(100, 100, { attributes: 1 }),
      batchBytes({ base: 200, records: recordsAt(0, 5), lastOffsetDelta: 9, attributes: 1 }),
    ]);
    const shown = [...Array.from({ length: 201 }, (_, offset) => offset), 205, 209];
    await assertProperty(
      asyncProperty(nat(100_000), async (capacityBytes) => {
        const answers = await readFetchByFetch(bytes, capacityBytes + 1, 210);
        expect(answers.flat()).toEqual(shown);
        for (const offsets of answers) expect(offsets.length).toBeLessThanOrEqual(2 + (capacityBytes + 1) / 512);
      }),
    );
  });

  it("allows one batch if each batch exceeds it after decompression", async () => {
    const bomb = (base: number): Buffer =>
      batchBytes({ base, records: [{ offsetDelta: 0, value: "x".repeat(100_000) }], attributes: 1 });
    expect(await readFetchByFetch(Buffer.concat([bomb(0), bomb(1), bomb(2)]), 50_000, 3)).toEqual([[0], [1], [2]]);
  });

  it("may leave nothing for a partition, which is not reported as unreadable then", async () => {
    const capacity = { bytes: 0 };
    expect(await readWithin(three(0), { fetchOffset: 0, endOffset: 3, capacity })).toEqual({ records: [] });
  });
});

describe("a batch that cannot be read", () => {
  const flip =
    (position: number, mask = 1) =>
    (bytes: Buffer): void => {
      bytes[position] = (bytes[position] ?? 0) ^ mask;
    };
  const resealed = (make: Buffer, edit: (bytes: Buffer) => unknown): Buffer =>
    edited(make, (bytes) => {
      edit(bytes);
      sealed(bytes);
    });
  const cases: readonly [string, Buffer, RegExp][] = [
    ["a record was changed", edited(three(3), flip(70)), /checksum/],
    ["the checksum was changed", edited(three(3), flip(18)), /checksum/],
    ["its compressed bytes were changed", edited(three(3, { attributes: 1 }), flip(75)), /checksum/],
    [
      "its compressed bytes are none",
      three(3, { attributes: 1, body: Buffer.from("no gzip at all") }),
      /incorrect header/,
    ],
    [
      "its compressed bytes end early",
      three(3, { attributes: 1, body: gzipSync("abc").subarray(0, 12) }),
      /unexpected end/,
    ],
    ["nobody knows its compression", three(3, { attributes: 6 }), /compression type 6 is unknown/],
    ["nobody knows its format", edited(three(3), (bytes) => bytes.writeInt8(7, 16)), /format 7 is unknown/],
    ["its length is nonsense", edited(three(3), (bytes) => bytes.writeInt32BE(20, 8)), /length|checksum/],
    ["its length is negative", edited(three(3), (bytes) => bytes.writeInt32BE(-1, 8)), /length/],
    [
      "its offsets lie before those of the batch before",
      edited(three(3), (bytes) => bytes.writeBigInt64BE(1n)),
      /offsets/,
    ],
    [
      "its offsets lie beyond the end of the log",
      edited(three(3), (bytes) => bytes.writeBigInt64BE(2n ** 40n)),
      /offsets/,
    ],
    ["its last offset is nonsense", resealed(three(3), (bytes) => bytes.writeInt32BE(2 ** 31 - 1, 23)), /offsets/],
    ["it claims more records than there are", three(3, { count: 4 }), /too early/],
    ["it claims very many records", three(3, { count: 2 ** 31 - 1 }), /more records/],
    ["it claims fewer than no records", three(3, { count: -5 }), /more records/],
    ["it has more bytes than records", three(3, { count: 2 }), /more bytes/],
    ["a record claims very many headers", three(3, { count: 1, body: manyHeaders() }), /more headers/],
    ["a record claims a value that is not there", three(3, { count: 1, body: longValue() }), /more bytes/],
    [
      "a record is longer than it says",
      three(3, { count: 1, body: edited(recordBytes({ offsetDelta: 0 }), flip(0, 2)) }),
      /as long/,
    ],
    ["a number does not end", three(3, { count: 1, body: Buffer.alloc(40, 0xff) }), /no end/],
    [
      "a record has another batch's offset",
      batchBytes({ base: 3, records: recordsAt(0, 5), lastOffsetDelta: 2 }),
      /offsets/,
    ],
    ["its records have the same offset", batchBytes({ base: 3, records: recordsAt(0, 2, 2) }), /offsets/],
    ["it is a message whose bytes were changed", edited(messageBytes(3, "plain"), flip(35)), /checksum/],
    ["it is a message of an unknown compression", messageBytes(3, "x", 5), /compression type 5/],
    ["it is a message whose compressed bytes are none", messageBytes(3, "no gzip at all", 1), /incorrect header/],
    ["it is a message that holds none", messageBytes(3, gzipSync(""), 1), /no messages|undefined/],
  ];

  it.each(cases)("ends what is read of its partition: %s", async (_, bad, reason) => {
    const { offsets, unreadable } = await read(three(0), bad, three(6));
    expect([offsets, unreadable?.offset, unreadable?.reason]).toEqual([[0, 1, 2], 3, expect.stringMatching(reason)]);
    expect([3, 5]).toContain(unreadable?.lastOffset);
  });

  it("is reported with its last offset: its own, or if that is invalid, the one before the next batch", async () => {
    const lastOf = async (...batches: Buffer[]) => (await read(...batches)).unreadable?.lastOffset;
    const bad = edited(three(3), flip(70));
    expect(await lastOf(three(0), bad, three(6))).toBe(5);
    expect(await lastOf(three(0), bad)).toBe(5);
    expect(await lastOf(three(0), bad, three(20))).toBe(5);
    const nonsense = edited(three(3), (bytes) => bytes.writeInt32BE(-7, 23));
    expect(await lastOf(three(0), nonsense, three(6))).toBe(5);
    expect(await lastOf(three(0), nonsense)).toBe(3);
    const far = edited(three(3), (bytes) => bytes.writeInt32BE(500, 23));
    expect(await lastOf(three(0), far, three(6))).toBe(5);
  });

  it("is reported if it claims to be longer than the bytes that the broker has sent", async () => {
    const bad = edited(three(3), (bytes) => bytes.writeInt32BE(2 ** 30, 8));
    expect(await read(three(0), bad)).toEqual({ offsets: [0, 1, 2], unreadable: undefined });
    expect(await read(bad, three(6))).toEqual({
      offsets: [],
      unreadable: { offset: 3, lastOffset: 5, reason: "It is incomplete" },
    });
  });

  const coverOf = (within: number): "checksum" | "epoch" | "none" => {
    if (within >= 17) return "checksum";
    return within >= 12 && within < 16 ? "epoch" : "none";
  };

  it("is skipped if it lies before the fetch offset, and only its offset is wrong", async () => {
    const broken = edited(three(3), (bytes) => bytes.writeBigInt64BE(2n ** 40n));
    const bytes = Buffer.concat([broken, three(6), three(9)]);
    const { records, unreadable } = await readBatches(bytes, { fetchOffset: 6, endOffset: 12 });
    expect([offsetsOf(records), unreadable]).toEqual([[6, 7, 8, 9, 10, 11], undefined]);
    expect(await readBatches(bytes, { fetchOffset: 5, endOffset: 12 })).toMatchObject({
      records: [],
      unreadable: { offset: 5, lastOffset: 5 },
    });
  });

  it("is recognized by offsets beyond the end of the log", async () => {
    const leap = edited(three(3), (bytes) => bytes.writeBigInt64BE(100n));
    const { records, unreadable } = await readBatches(Buffer.concat([leap, three(6)]), {
      fetchOffset: 3,
      endOffset: 9,
    });
    expect([records, unreadable]).toEqual([[], { offset: 3, lastOffset: 5, reason: "Its offsets are wrong" }]);
  });

  it("leaves exactly the batches before it, whichever bit has changed, or all if no check covers that bit", async () => {
    const batches = [three(10, { attributes: 1 }), three(13), three(16, { attributes: 1 })];
    const bytes = Buffer.concat(batches);
    const starts = batches.map((_, index) => Buffer.concat(batches.slice(0, index)).length);
    await assertProperty(
      asyncProperty(nat(bytes.length - 1), nat(7), async (position, bit) => {
        const { offsets, unreadable } = await read(edited(bytes, flip(position, 1 << bit)));
        const index = starts.findLastIndex((start) => start <= position);
        const within = position - (starts[index] ?? 0);
        const all = Array.from({ length: 9 }, (_, one) => 10 + one);
        const before = all.slice(0, 3 * index);
        // The checksum does not cover the offset, the length, the leader's epoch and the format.
        const cover = coverOf(within);
        expect(cover === "none" ? offsets.slice(0, before.length) : offsets).toEqual(cover === "epoch" ? all : before);
        expect(cover === "none" ? undefined : unreadable?.offset).toBe(
          cover === "checksum" ? 10 + before.length : undefined,
        );
      }),
      { numRuns: 500 },
    );
  });

  it("never hangs or throws, whatever bytes it holds under a valid checksum", async () => {
    const good = three(10);
    await assertProperty(
      asyncProperty(nat(good.length - 22), uint8Array({ minLength: 1, maxLength: 8 }), async (at, noise) => {
        const bad = resealed(good, (bytes) => bytes.set(noise.slice(0, bytes.length - 21 - at), 21 + at));
        const { records, unreadable } = await readBatches(bad, { fetchOffset: 0, endOffset: 1_000 });
        expect(records.length > 0 || unreadable !== undefined).toBe(true);
      }),
      { numRuns: 1_000 },
    );
  });
});

function manyHeaders(): Buffer {
  const body = Buffer.concat([Buffer.of(0), varint(0), varint(0), varint(-1), varint(-1), varint(2 ** 30)]);
  return Buffer.concat([varint(body.length), body]);
}

function longValue(): Buffer {
  const body = Buffer.concat([Buffer.of(0), varint(0), varint(0), varint(-1), varint(1_000), varint(0)]);
  return Buffer.concat([varint(body.length), body]);
}
