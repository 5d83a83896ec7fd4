import { afterEach, describe, expect, it } from "vitest";

import { createOpsServer } from "../../src/ops/ops-server.ts";
import type { OpsServer } from "../../src/ops/ops-server.ts";
import { createLog } from "../../src/ops/log.ts";
import { createMetrics } from "../../src/ops/metrics.ts";
import { type ServiceConditions, StallDetector, idleReasonOf, stallLimitMs } from "../../src/service/stall-detector.ts";

const limitMs = 60_000;

/** A service whose state and clock are in the hands of the test. */
const createWorld = () => {
  const state: { finishedRecords: number; heldRecords: number; idleReason: string | undefined } = {
    finishedRecords: 0,
    heldRecords: 5,
    idleReason: undefined,
  };
  const told: string[] = [];
  let now = 1_000;
  const detector = new StallDetector({
    limitMs,
    monotonicNow: () => now,
    readProgress: () => ({ ...state }),
    onStall: (silentMs) => told.push(`stalled after ${silentMs}`),
    onStallEnd: (silentMs) => told.push(`ended after ${silentMs}`),
  });
  const pass = (ms: number, stepMs = 1_000): void => {
    for (let passed = 0; passed < ms; passed += stepMs) {
      now += stepMs;
      detector.check();
    }
  };
  const jump = (ms: number): void => void (now += ms);
  return { state, told, detector, pass, jump };
};

describe("StallDetector", () => {
  it("detects a stall when the limit has passed, and reports it once", () => {
    const { told, detector, pass } = createWorld();
    pass(limitMs - 1_000);
    expect([told, detector.stallSentence]).toEqual([[], undefined]);
    pass(1_000);
    expect(detector.stallSentence).toMatch(/^Nothing has been finished for 60 s/);
    pass(10 * limitMs);
    expect(told).toEqual(["stalled after 60000"]);
  });

  it.each<[string, (world: ReturnType<typeof createWorld>) => void]>([
    ["a record is finished", ({ state }) => state.finishedRecords++],
    ["nothing is held any more", ({ state }) => (state.heldRecords = 0)],
    ["there is an excuse", ({ state }) => (state.idleReason = "Holding: throttled")],
  ])("starts counting again when %s, and a stall ends with it", (_, move) => {
    const world = createWorld();
    const { state, told, detector, pass } = world;
    pass(limitMs - 1_000);
    move(world);
    pass(1_000);
    Object.assign(state, { heldRecords: 5, idleReason: undefined });
    pass(limitMs - 1_000);
    expect([told, detector.stallSentence]).toEqual([[], undefined]);
    pass(1_000);
    expect(told).toEqual(["stalled after 60000"]);
    move(world);
    pass(1_000);
    expect(told).toEqual(["stalled after 60000", "ended after 61000"]);
    expect(detector.stallSentence).toBeUndefined();
  });

  it("reports no stall while nothing is held or there is a reason to be idle", () => {
    const { state, told, pass } = createWorld();
    state.heldRecords = 0;
    pass(10 * limitMs);
    Object.assign(state, { heldRecords: 5, idleReason: "The group is joining" });
    pass(10 * limitMs);
    expect(told).toEqual([]);
  });

  it("reports the next stall again", () => {
    const { state, told, pass } = createWorld();
    pass(limitMs);
    state.finishedRecords++;
    pass(1_000 + limitMs);
    expect(told).toEqual(["stalled after 60000", "ended after 61000", "stalled after 60000"]);
  });

  it("mistakes neither a stopped process nor a changed clock for a stall", () => {
    const { told, detector, pass, jump } = createWorld();
    pass(limitMs / 2);
    jump(24 * 3_600_000);
    pass(1_000);
    jump(-24 * 3_600_000);
    pass(1_000);
    expect([told, detector.stallSentence]).toEqual([[], undefined]);
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

describe("idleReasonOf()", () => {
  const atWork: ServiceConditions = {
    startupProblem: "",
    groupState: "owner",
    holds: [],
    isSessionAlive: true,
  };

  it.each<[Partial<ServiceConditions>, string | undefined]>([
    [{}, undefined],
    [{ startupProblem: "Waiting for topics" }, "Waiting for topics"],
    [{ groupState: "joining" }, "The group is joining"],
    [{ groupState: "restoring" }, "The group is restoring"],
    [{ groupState: "leaving" }, "The group is leaving"],
    [{ holds: ["target_down", "throttled"] }, "Holding: target_down, throttled"],
    [{ isSessionAlive: false }, "The group does not answer"],
  ])("of %j is %j", (conditions, expected) => {
    expect(idleReasonOf({ ...atWork, ...conditions })).toBe(expected);
  });
});

describe("/livez", () => {
  let server: OpsServer | undefined;
  afterEach(() => server?.close());

  it("answers 503 with a sentence while the service stands still, and 200 when it moves again", async () => {
    const { state, detector, pass } = createWorld();
    server = await createOpsServer({
      host: "127.0.0.1",
      port: 0,
      live: () => ({ ok: detector.stallSentence === undefined, detail: detector.stallSentence ?? "owner" }),
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
    state.finishedRecords++;
    pass(1_000);
    expect(await ask()).toEqual({ status: 200, body: { ok: true, detail: "owner" } });
  });
});
