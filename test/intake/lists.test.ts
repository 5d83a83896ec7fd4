import { describe, expect, it } from "vitest";

import type { Decide } from "../../src/core/decide.ts";
import type { Decoded } from "../../src/decoding/decoded.ts";
import { createRecordReader } from "../../src/intake/record-reader.ts";
import { checkBacklog } from "../../src/pipeline/await-turn-step.ts";
import { baseTime, messageOf } from "./batches.ts";
import { createTestIngest, delayMs, settle, source, tier } from "./intake-rig.ts";

const listOf = (...users: string[]): Buffer =>
  Buffer.from(JSON.stringify(users.map((userId) => ({ type: "track", event: "Opened", userId }))));

const headersOf = (index: number) => ({
  "gainstream-topic": "source",
  "gainstream-partition": "0",
  "gainstream-offset": "5",
  "gainstream-timestamp": new Date(baseTime).toISOString(),
  "gainstream-index": String(index),
});

describe("ingest of a record that holds a list of events", () => {
  it("enqueues each event, and commits past the record's offset once all of them are completed", async () => {
    const { readBatch, assignAndOpen, items, complete, openPartitionOf } = createTestIngest();
    assignAndOpen([source, 5]);
    await readBatch(source, [messageOf(5, { value: listOf("a", "b", "c") }), messageOf(6)]).done;
    expect(items.map(({ parsed }) => parsed.user)).toEqual(["a", "b", "c", "u6"]);
    complete(2);
    expect(openPartitionOf(source)?.tracker.committableOffset).toBe(5);
    complete(1);
    expect(openPartitionOf(source)?.tracker.committableOffset).toBe(6);
  });

  it("counts the record's bytes once", async () => {
    const value = listOf("a", "b", "c");
    const { readBatch, assignAndOpen, items } = createTestIngest();
    assignAndOpen([source, 5]);
    await readBatch(source, [messageOf(5, { value })]).done;
    const bytes = items.reduce((sum, item) => sum + item.bytes, 0);
    const bodies = 3 * "{}".length;
    expect(bytes - bodies - value.length).toBeLessThan(3);
  });

  it("enqueues an empty list as one skipped record", async () => {
    const { readBatch, assignAndOpen, items } = createTestIngest();
    assignAndOpen([source, 5]);
    await readBatch(source, [messageOf(5, { value: listOf() })]).done;
    expect(items).toMatchObject([{ parsed: { decision: { kind: "skipped", reason: "tombstone" } } }]);
  });

  it("rebuilds the backlog from a retry topic: one event of the list a record, in the order of the list", async () => {
    const { readBatch, assignAndOpen, clock, items } = createTestIngest();
    assignAndOpen([source, 9], [tier, 0, { endOffset: 2 }]);
    const value = listOf("a", "b", "a");
    const messages = [2, 0].map((index, offset) => messageOf(offset, { value, headers: headersOf(index) }));
    await readBatch(tier, messages).done;
    clock.advance(delayMs);
    await settle();
    void readBatch(tier, messages);
    await settle();
    expect(items.map((item) => [item.parsed.retryState.source.id, checkBacklog(item).kind])).toEqual([
      ["source-0-5#2", "forward"],
      ["source-0-5#0", "deliver"],
    ]);
  });

  it("replaces the backlog entry of a list that was parked with an unknown schema, once the schema is known", async () => {
    const registry = { isSchemaKnown: false };
    const decode = (): Decoded =>
      registry.isSchemaKnown
        ? { kind: "events", events: [{ type: "track", event: "Opened", userId: "a" }] }
        : { kind: "unknown_schema", schemaId: 7 };
    const decide: Decide = () => ({
      type: "track",
      decision: { kind: "call", type: "track", body: Buffer.from("{}") },
    });
    const test = createTestIngest({ read: createRecordReader({ decoder: { decode }, decide }) });
    test.assignAndOpen([source, 9], [tier, 0, { endOffset: 1 }]);
    const { "gainstream-index": _, ...headers } = headersOf(0);
    const parked = [messageOf(0, { key: null, headers })];
    await test.readBatch(tier, parked).done;
    const userCounts = [test.openPartitionOf(source)?.backlog.userCount];
    registry.isSchemaKnown = true;
    test.clock.advance(delayMs);
    await settle();
    await test.readBatch(tier, parked).done;
    userCounts.push(test.openPartitionOf(source)?.backlog.userCount);
    expect([test.items.map(({ parsed }) => parsed.user), userCounts]).toEqual([["a"], [1, 0]]);
  });
});
