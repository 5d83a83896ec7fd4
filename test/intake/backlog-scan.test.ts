import { describe, expect, it } from "vitest";

import { createDecoder } from "../../src/decoding/decoder.ts";
import { scanBatch } from "../../src/intake/backlog-scan.ts";
import { createOwnedPartition } from "../../src/intake/owned-partition.ts";
import { createRecordReader } from "../../src/intake/record-reader.ts";
import { encodeCompleted } from "../../src/offsets/completed-map.ts";
import { baseTime, batchOf, markerOf, messageOf, messagesOf, valueOf } from "./batches.ts";

const partition = { topic: "retry-5m", partition: 2 };
const read = createRecordReader({
  decoder: createDecoder({ format: "json" }),
  decide: () => ({ type: "other", decision: { kind: "skipped", reason: "unsupported_event_type" } }),
});

const createScan = ({ start = 10, endOffset = 20, metadata = null as string | null } = {}) => {
  const owned = Object.assign(createOwnedPartition(partition, 1), { startOffset: start, metadata });
  const backlogScan = { endOffset, records: [], position: start };
  return { owned, backlogScan, read };
};

describe("scanBatch", () => {
  it("collects the user, position and source of each waiting record", () => {
    const options = createScan();
    const headers = {
      "gainstream-topic": "source",
      "gainstream-partition": "2",
      "gainstream-offset": "7",
      "gainstream-timestamp": "2026-01-31T12:00:00.000Z",
    };
    const batch = batchOf(partition, [messageOf(10, { value: valueOf("u1"), headers })]);
    expect(scanBatch(batch, options)).toEqual({ lastOffset: 10 });
    expect(options.backlogScan.records).toEqual([
      {
        user: "u1",
        eventKey: `source-2-7@${Date.parse("2026-01-31T12:00:00.000Z")}`,
        position: { tier: 1, offset: 10 },
        topic: "source",
        offset: 7,
        timestamp: Date.parse("2026-01-31T12:00:00.000Z"),
        writtenAt: baseTime,
      },
    ]);
  });

  const offsetsOf = ({ backlogScan }: ReturnType<typeof createScan>): number[] =>
    (backlogScan.records as { position: { offset: number } }[]).map(({ position }) => position.offset);

  it("skips records completed beyond the committed offset, and records written after the scan began", () => {
    const options = createScan({ metadata: encodeCompleted(10, [11, 13]), endOffset: 15 });
    expect(scanBatch(batchOf(partition, messagesOf(10, 11, 12, 13, 14, 15, 16)), options)).toEqual({ lastOffset: 16 });
    expect(offsetsOf(options)).toEqual([10, 12, 14]);
  });

  it("collects nothing twice if part of a batch is fetched again", () => {
    const options = createScan();
    scanBatch(batchOf(partition, messagesOf(10, 11)), options);
    options.backlogScan.position = 12;
    scanBatch(batchOf(partition, messagesOf(10, 11, 12)), options);
    expect(offsetsOf(options)).toEqual([10, 11, 12]);
  });

  it("stops at a record whose schema has to be fetched first", () => {
    const options = {
      ...createScan(),
      read: createRecordReader({
        decoder: {
          decode: (value) =>
            value?.equals(valueOf("u12")) ? { kind: "needs_schema", schemaId: 5 } : { kind: "event", event: {} },
        },
        decide: () => ({ type: "other", decision: { kind: "skipped", reason: "unsupported_event_type" } }),
      }),
    };
    expect(scanBatch(batchOf(partition, messagesOf(10, 11, 12, 13)), options)).toEqual({
      lastOffset: 11,
      neededSchemaId: 5,
    });
    expect(scanBatch(batchOf(partition, messagesOf(12, 13)), options)).toEqual({
      lastOffset: undefined,
      neededSchemaId: 5,
    });
    expect(offsetsOf(options)).toEqual([10, 11]);
  });

  it("finds nothing in a batch of markers", () => {
    const options = createScan();
    expect(scanBatch(batchOf(partition, [markerOf(10), markerOf(11)]), options)).toEqual({ lastOffset: undefined });
    expect(options.backlogScan.records).toEqual([]);
  });
});
