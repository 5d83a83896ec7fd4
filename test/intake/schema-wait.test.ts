import { describe, expect, it } from "vitest";

import type { SchemaLoadResult } from "../../src/decoding/registry/decoder-cache.ts";
import { SchemaWait } from "../../src/intake/schema-wait.ts";
import { createTestClock } from "../delivery/test-clock.ts";

const down: SchemaLoadResult = { kind: "registry_down", error: "Cannot reach the registry" };
const found: SchemaLoadResult = { kind: "decoder", decode: () => ({}) };

/** Answers of the registry by schema, in turn; the last one stays. */
const createTestWait = (answers: Record<number, SchemaLoadResult[]>) => {
  const clock = createTestClock();
  const asked: { schemaId: number; at: number }[] = [];
  const events: string[] = [];
  const started = clock.now();
  const wait = new SchemaWait({
    load: async (schemaId) => {
      asked.push({ schemaId, at: clock.now() - started });
      const left = answers[schemaId] ?? [];
      return (left.length > 1 ? left.shift() : left[0]) ?? found;
    },
    random: () => 0,
    schedule: clock.schedule,
    monotonicNow: clock.now,
    onHold: ({ isHeld, error }) => void events.push(isHeld ? `hold: ${error}` : "released"),
    onLoaded: () => void events.push("ready"),
  });
  /** Lets the answers come in, then moves on. */
  const pass = async (ms: number): Promise<void> => {
    for (let turn = 0; turn < 10; turn++) await Promise.resolve();
    clock.advance(ms);
    for (let turn = 0; turn < 10; turn++) await Promise.resolve();
  };
  return { wait, asked, events, pass };
};

describe("schema wait", () => {
  it("asks once for a schema that many records need", async () => {
    const { wait, asked, events, pass } = createTestWait({});
    for (let record = 0; record < 5; record++) wait.request(7);
    await pass(0);
    expect(asked).toEqual([{ schemaId: 7, at: 0 }]);
    expect(events).toEqual(["ready"]);
  });

  it.each<SchemaLoadResult>([found, { kind: "unknown" }, { kind: "undecodable", error: "Cannot use it" }])(
    "continues with the answer %j",
    async (answer) => {
      const { wait, events, pass } = createTestWait({ 7: [answer] });
      wait.request(7);
      await pass(0);
      expect(events).toEqual(["ready"]);
      expect(wait.isHeld).toBe(false);
    },
  );

  it("holds while the registry is down, reports it once, and asks again after growing pauses", async () => {
    const { wait, asked, events, pass } = createTestWait({ 7: [down, down, down, down, found] });
    wait.request(7);
    await pass(0);
    expect(wait.isHeld).toBe(true);
    expect(events).toEqual(["hold: Cannot reach the registry"]);
    for (let step = 0; step < 16; step++) await pass(250);
    expect(asked.map(({ at }) => at)).toEqual([0, 250, 750, 1_750, 3_750]);
    expect(events).toEqual(["hold: Cannot reach the registry", "released", "ready"]);
    expect(wait.isHeld).toBe(false);
  });

  it("never pauses longer than 15 s", async () => {
    const { wait, asked, pass } = createTestWait({ 7: [down] });
    wait.request(7);
    for (let second = 0; second < 120; second++) await pass(1_000);
    const pauses = asked.slice(1).map(({ at }, index) => at - (asked[index]?.at ?? 0));
    expect(Math.max(...pauses)).toBeLessThanOrEqual(15_000);
    expect(asked.length).toBeGreaterThan(10);
  });

  it("reports one hold for several schemas", async () => {
    const { wait, events, pass } = createTestWait({ 7: [down, found], 8: [down, down, found] });
    wait.request(7);
    wait.request(8);
    await pass(0);
    expect(events).toEqual(["hold: Cannot reach the registry"]);
    for (let second = 0; second < 5; second++) await pass(1_000);
    expect(events.filter((event) => event === "ready")).toHaveLength(2);
    expect(wait.isHeld).toBe(false);
  });

  it("stays held while one schema is still missing, though another was fetched", async () => {
    const { wait, events, pass } = createTestWait({ 7: [down], 8: [down, found] });
    wait.request(7);
    wait.request(8);
    for (let second = 0; second < 5; second++) await pass(1_000);
    expect(events).toEqual(["hold: Cannot reach the registry", "ready"]);
    expect(wait.isHeld).toBe(true);
    wait.request(9);
    await pass(0);
    expect(events).toEqual(["hold: Cannot reach the registry", "ready", "ready"]);
    expect(wait.isHeld).toBe(true);
  });

  it("asks again for a schema that is requested again later: answers are cached elsewhere", async () => {
    const { wait, asked, pass } = createTestWait({ 7: [{ kind: "unknown" }] });
    wait.request(7);
    await pass(0);
    wait.request(7);
    await pass(0);
    expect(asked).toHaveLength(2);
  });
});
