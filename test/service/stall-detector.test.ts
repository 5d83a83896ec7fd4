import { afterEach, describe, expect, it } from "vitest";

import { createOpsServer } from "../../src/ops/http.ts";
import type { OpsServer } from "../../src/ops/http.ts";
import { createLog } from "../../src/ops/log.ts";
import { createMetrics } from "../../src/ops/metrics.ts";
import { type Circumstances, Progress, excuseOf, stallLimitMs } from "../../src/service/stall-detector.ts";

const limitMs = 60_000;

/** A service whose state and clock are in the hands of the test. */
const createWorld = () => {
  const state: { finished: number; held: number; excuse: string | undefined } = {
    finished: 0,
    held: 5,
    excuse: undefined,
  };
  const told: string[] = [];
  let now = 1_000;
  const progress = new Progress({
    limitMs,
    now: () => now,
    read: () => ({ ...state }),
    onStall: (silentMs) => told.push(`stalled after ${silentMs}`),
    onEnd: (silentMs) => told.push(`ended after ${silentMs}`),
  });
  const pass = (ms: number, stepMs = 1_000): void => {
    for (let passed = 0; passed < ms; passed += stepMs) {
      now += stepMs;
      progress.check();
    }
  };
  const jump = (ms: number): void => void (now += ms);
  return { state, told, progress, pass, jump };
};

describe("Progress", () => {
  it("finds a stall when the limit has passed, and tells of it once", () => {
    const { told, progress, pass } = createWorld();
    pass(limitMs - 1_000);
    expect([told, progress.stall]).toEqual([[], undefined]);
    pass(1_000);
    expect(progress.stall).toMatch(/^Nothing has been finished for 60 s/);
    pass(10 * limitMs);
    expect(told).toEqual(["stalled after 60000"]);
  });

  it.each<[string, (world: ReturnType<typeof createWorld>) => void]>([
    ["a record is finished", ({ state }) => state.finished++],
    ["nothing is held any more", ({ state }) => (state.held = 0)],
    ["there is an excuse", ({ state }) => (state.excuse = "Holding: throttled")],
  ])("begins to count anew when %s, and a stall ends with it", (_, move) => {
    const world = createWorld();
    const { state, told, progress, pass } = world;
    pass(limitMs - 1_000);
    move(world);
    pass(1_000);
    Object.assign(state, { held: 5, excuse: undefined });
    pass(limitMs - 1_000);
    expect([told, progress.stall]).toEqual([[], undefined]);
    pass(1_000);
    expect(told).toEqual(["stalled after 60000"]);
    move(world);
    pass(1_000);
    expect(told).toEqual(["stalled after 60000", "ended after 61000"]);
    expect(progress.stall).toBeUndefined();
  });

  it("is patient without end with whoever holds nothing or has an excuse", () => {
    const { state, told, pass } = createWorld();
    state.held = 0;
    pass(10 * limitMs);
    Object.assign(state, { held: 5, excuse: "The group is joining" });
    pass(10 * limitMs);
    expect(told).toEqual([]);
  });

  it("tells of the next stall again", () => {
    const { state, told, pass } = createWorld();
    pass(limitMs);
    state.finished++;
    pass(1_000 + limitMs);
    expect(told).toEqual(["stalled after 60000", "ended after 61000", "stalled after 60000"]);
  });

  it("takes neither a process that was stopped nor a clock that was set for a stall", () => {
    const { told, progress, pass, jump } = createWorld();
    pass(limitMs / 2);
    jump(24 * 3_600_000);
    pass(1_000);
    jump(-24 * 3_600_000);
    pass(1_000);
    expect([told, progress.stall]).toEqual([[], undefined]);
  });
});

describe("stallLimitMs()", () => {
  it.each([
    [10_000, 3, 90_000],
    [25_000, 10, 530_000],
    [10, 1, 60_000],
  ])("of a time-out of %i ms and %i quick attempts is %i ms", (timeoutMs, quickAttempts, expected) => {
    expect(stallLimitMs({ timeoutMs, quickAttempts })).toBe(expected);
  });
});

describe("excuseOf()", () => {
  const atWork: Circumstances = {
    missing: "",
    membership: "owner",
    holds: [],
    hasContact: true,
  };

  it.each<[Partial<Circumstances>, string | undefined]>([
    [{}, undefined],
    [{ missing: "Waiting for topics" }, "Waiting for topics"],
    [{ membership: "joining" }, "The group is joining"],
    [{ membership: "restoring" }, "The group is restoring"],
    [{ membership: "leaving" }, "The group is leaving"],
    [{ holds: ["target_down", "throttled"] }, "Holding: target_down, throttled"],
    [{ hasContact: false }, "The group does not answer"],
  ])("of %j is %j", (circumstances, expected) => {
    expect(excuseOf({ ...atWork, ...circumstances })).toBe(expected);
  });
});

describe("/livez", () => {
  let server: OpsServer | undefined;
  afterEach(() => server?.close());

  it("answers 503 with a sentence while the service stands still, and 200 when it moves again", async () => {
    const { state, progress, pass } = createWorld();
    server = await createOpsServer({
      host: "127.0.0.1",
      port: 0,
      live: () => ({ ok: progress.stall === undefined, detail: progress.stall ?? "owner" }),
      ready: () => ({ ok: true, reasons: [], holds: [] }),
      status: () => ({}),
      metrics: createMetrics(),
      log: createLog({ level: "silent" }),
    });
    const ask = async () => {
      const response = await fetch(`${server?.url}/livez`);
      return { status: response.status, body: await response.json() };
    };
    expect(await ask()).toEqual({ status: 200, body: { ok: true, detail: "owner" } });
    pass(limitMs);
    const detail = "Nothing has been finished for 60 s although records are held and nothing stands in the way";
    expect(await ask()).toEqual({ status: 503, body: { ok: false, detail } });
    state.finished++;
    pass(1_000);
    expect(await ask()).toEqual({ status: 200, body: { ok: true, detail: "owner" } });
  });
});
