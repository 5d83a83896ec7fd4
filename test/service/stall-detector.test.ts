import { afterEach, describe, expect, it } from "vitest";

import { createLog } from "../../src/ops/log.ts";
import { createMetrics } from "../../src/ops/metrics.ts";
import { type OpsServer, createOpsServer } from "../../src/ops/ops-server.ts";
import { type ServiceConditions, StallDetector, idleReasonOf, stallLimitMs } from "../../src/service/stall-detector.ts";

const limitMs = 60_000;

/** A detector whose readings and clock the test sets. */
const createWorld = () => {
  const state: { progressCount: number; heldRecords: number; idleReason: string | undefined } = {
    progressCount: 0,
    heldRecords: 5,
    idleReason: undefined,
  };
  const reported: string[] = [];
  let now = 1_000;
  const detector = new StallDetector({
    limitMs,
    monotonicNow: () => now,
    readProgress: () => ({ ...state }),
    onStall: (idleMs) => reported.push(`stalled after ${idleMs}`),
    onStallEnd: (idleMs) => reported.push(`ended after ${idleMs}`),
  });
  const pass = (ms: number, stepMs = 1_000): void => {
    for (let passed = 0; passed < ms; passed += stepMs) {
      now += stepMs;
      detector.check();
    }
  };
  const jump = (ms: number): void => void (now += ms);
  return { state, reported, detector, pass, jump };
};

describe("StallDetector", () => {
  it("detects a stall when the limit has passed, and reports it once", () => {
    const { reported, detector, pass } = createWorld();
    pass(limitMs - 1_000);
    expect([reported, detector.stallSentence]).toEqual([[], undefined]);
    pass(1_000);
    expect(detector.stallSentence).toMatch(/^No record has been completed for 60 s/);
    pass(10 * limitMs);
    expect(reported).toEqual(["stalled after 60000"]);
  });

  it.each<[string, (world: ReturnType<typeof createWorld>) => void]>([
    ["a record is completed", ({ state }) => state.progressCount++],
    ["no record is in memory any more", ({ state }) => (state.heldRecords = 0)],
    ["there is a reason to be idle", ({ state }) => (state.idleReason = "Holding: throttled")],
  ])("starts counting again when %s, and a stall ends with it", (_, move) => {
    const world = createWorld();
    const { state, reported, detector, pass } = world;
    pass(limitMs - 1_000);
    move(world);
    pass(1_000);
    Object.assign(state, { heldRecords: 5, idleReason: undefined });
    pass(limitMs - 1_000);
    expect([reported, detector.stallSentence]).toEqual([[], undefined]);
    pass(1_000);
    expect(reported).toEqual(["stalled after 60000"]);
    move(world);
    pass(1_000);
    expect(reported).toEqual(["stalled after 60000", "ended after 61000"]);
    expect(detector.stallSentence).toBeUndefined();
  });

  it("reports no stall while no record is in memory or there is a reason to be idle", () => {
    const { state, reported, pass } = createWorld();
    state.heldRecords = 0;
    pass(10 * limitMs);
    Object.assign(state, { heldRecords: 5, idleReason: "The group is joining" });
    pass(10 * limitMs);
    expect(reported).toEqual([]);
  });

  it("reports the next stall again", () => {
    const { state, reported, pass } = createWorld();
    pass(limitMs);
    state.progressCount++;
    pass(1_000 + limitMs);
    expect(reported).toEqual(["stalled after 60000", "ended after 61000", "stalled after 60000"]);
  });

  it("mistakes neither a stopped process nor a changed clock for a stall", () => {
    const { reported, detector, pass, jump } = createWorld();
    pass(limitMs / 2);
    jump(24 * 3_600_000);
    pass(1_000);
    jump(-24 * 3_600_000);
    pass(1_000);
    expect([reported, detector.stallSentence]).toEqual([[], undefined]);
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
  const working: ServiceConditions = {
    startupProblem: undefined,
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
    expect(idleReasonOf({ ...working, ...conditions })).toBe(expected);
  });
});

describe("/livez", () => {
  let server: OpsServer | undefined;
  afterEach(() => server?.close());

  it("responds with 503 and a sentence during a stall, and with 200 after it", async () => {
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
    const get = async () => {
      const response = await fetch(`${server?.url}/livez`);
      return { status: response.status, body: await response.json() };
    };
    expect(await get()).toEqual({ status: 200, body: { ok: true, detail: "owner" } });
    pass(limitMs);
    const detail = "No record has been completed for 60 s, although records are in memory and no hold explains it";
    expect(await get()).toEqual({ status: 503, body: { ok: false, detail } });
    state.progressCount++;
    pass(1_000);
    expect(await get()).toEqual({ status: 200, body: { ok: true, detail: "owner" } });
  });
});
