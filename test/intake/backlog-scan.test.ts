import { describe, expect, it } from "vitest";

import { createDecoder } from "../../src/decoding/decoder.ts";
import { scanBatch } from "../../src/intake/backlog-scan.ts";
import { createFeed } from "../../src/intake/owned-partition.ts";
import { createReader } from "../../src/intake/record-reader.ts";
import { encodeFinished } from "../../src/offsets/completed-map.ts";
import { baseTime, batchOf, markerOf, messageOf, messagesOf, valueOf } from "./batches.ts";

const place = { topic: "retry-5m", partition: 2 };
const read = createReader({
  decoder: createDecoder({ format: "json" }),
  handle: () => ({ type: "other", meaning: { kind: "skipped", reason: "unsupported_event_type" } }),
});

const createScan = ({ start = 10, end = 20, metadata = null as string | null } = {}) => {
  const feed = Object.assign(createFeed(place, 1), { start, metadata });
  const scan = { end, found: [], position: start };
  return { feed, scan, read };
};

describe("scanBatch", () => {
  it("learns whose records wait, where, and where they came from", () => {
    const options = createScan();
    const headers = {
      "gainstream-topic": "source",
      "gainstream-partition": "2",
      "gainstream-offset": "7",
      "gainstream-timestamp": "2026-01-31T12:00:00.000Z",
    };
    const batch = batchOf(place, [messageOf(10, { value: valueOf("u1"), headers })]);
    expect(scanBatch(batch, options)).toEqual({ last: 10 });
    expect(options.scan.found).toEqual([
      {
        user: "u1",
        id: `source-2-7@${Date.parse("2026-01-31T12:00:00.000Z")}`,
        place: { tier: 1, offset: 10 },
        topic: "source",
        offset: 7,
        timestamp: Date.parse("2026-01-31T12:00:00.000Z"),
        writtenAt: baseTime,
      },
    ]);
  });

  const offsetsOf = ({ scan }: ReturnType<typeof createScan>): number[] =>
    (scan.found as { place: { offset: number } }[]).map((found) => found.place.offset);

  it("passes over what was finished beyond the commit, and what was written after the scan began", () => {
    const options = createScan({ metadata: encodeFinished(10, [11, 13]), end: 15 });
    expect(scanBatch(batchOf(place, messagesOf(10, 11, 12, 13, 14, 15, 16)), options)).toEqual({ last: 16 });
    expect(offsetsOf(options)).toEqual([10, 12, 14]);
  });

  it("learns nothing twice where a part of a batch is fetched again", () => {
    const options = createScan();
    scanBatch(batchOf(place, messagesOf(10, 11)), options);
    options.scan.position = 12;
    scanBatch(batchOf(place, messagesOf(10, 11, 12)), options);
    expect(offsetsOf(options)).toEqual([10, 11, 12]);
  });

  it("stops at a record whose schema has to be fetched first", () => {
    const options = {
      ...createScan(),
      read: createReader({
        decoder: {
          decode: (value) =>
            value?.equals(valueOf("u12")) ? { kind: "needs_schema", schemaId: 5 } : { kind: "event", raw: {} },
        },
        handle: () => ({ type: "other", meaning: { kind: "skipped", reason: "unsupported_event_type" } }),
      }),
    };
    expect(scanBatch(batchOf(place, messagesOf(10, 11, 12, 13)), options)).toEqual({ last: 11, needs: 5 });
    expect(scanBatch(batchOf(place, messagesOf(12, 13)), options)).toEqual({ last: undefined, needs: 5 });
    expect(offsetsOf(options)).toEqual([10, 11]);
  });

  it("finds nothing in a batch of markers", () => {
    const options = createScan();
    expect(scanBatch(batchOf(place, [markerOf(10), markerOf(11)]), options)).toEqual({ last: undefined });
    expect(options.scan.found).toEqual([]);
  });
});
