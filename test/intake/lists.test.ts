import { describe, expect, it } from "vitest";

import { turnOf } from "../../src/pipeline/work-item.ts";
import { baseTime, messageOf } from "./batches.ts";
import { createTestIntake, delayMs, settle, source, tier } from "./intake-rig.ts";

const listOf = (...users: string[]): Buffer =>
  Buffer.from(JSON.stringify(users.map((userId) => ({ type: "track", event: "Opened", userId }))));

const headersOf = (index: number) => ({
  "gainstream-topic": "source",
  "gainstream-partition": "0",
  "gainstream-offset": "5",
  "gainstream-timestamp": new Date(baseTime).toISOString(),
  "gainstream-index": String(index),
});

describe("intake, of a record that holds a list of events", () => {
  it("hands out each event, and passes the record's offset once all of them are finished", async () => {
    const { take, own, held, finish, inletOf } = createTestIntake();
    own([source, 5]);
    await take(source, [messageOf(5, { value: listOf("a", "b", "c") }), messageOf(6)]).done;
    expect(held.map(({ arrival }) => arrival.user)).toEqual(["a", "b", "c", "u6"]);
    finish(2);
    expect(inletOf(source)?.tracker.mark).toBe(5);
    finish(1);
    expect(inletOf(source)?.tracker.mark).toBe(6);
  });

  it("counts the record's bytes once", async () => {
    const value = listOf("a", "b", "c");
    const { take, own, held } = createTestIntake();
    own([source, 5]);
    await take(source, [messageOf(5, { value })]).done;
    const bytes = held.reduce((sum, one) => sum + one.bytes, 0);
    const bodies = 3 * "{}".length;
    expect(bytes - bodies - value.length).toBeLessThan(3);
  });

  it("passes an empty list as one record with nothing to do", async () => {
    const { take, own, held } = createTestIntake();
    own([source, 5]);
    await take(source, [messageOf(5, { value: listOf() })]).done;
    expect(held).toMatchObject([{ arrival: { meaning: { kind: "skipped", reason: "tombstone" } } }]);
  });

  it("rebuilds from a tier who waits there: one event of the list a record, in the order of the list", async () => {
    const { take, own, clock, held } = createTestIntake();
    own([source, 9], [tier, 0, { high: 2 }]);
    const value = listOf("a", "b", "a");
    const messages = [2, 0].map((index, offset) => messageOf(offset, { value, headers: headersOf(index) }));
    await take(tier, messages).done;
    clock.advance(delayMs);
    await settle();
    void take(tier, messages);
    await settle();
    expect(held.map((one) => [one.arrival.past.origin.id, turnOf(one).kind])).toEqual([
      ["source-0-5#2", "forward"],
      ["source-0-5#0", "deliver"],
    ]);
  });
});
