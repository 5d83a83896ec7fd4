import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { describe, expect, it, vi } from "vitest";

import { watchFile } from "../../src/config/file-watch.ts";
import type { Call } from "../../src/core/decide.ts";
import { type CallResult, classify } from "../../src/core/outcome/classify.ts";
import type { Verdict } from "../../src/core/outcome/outcome.ts";
import { Delivery, type DeliveryOptions } from "../../src/delivery/delivery.ts";
import { createGainsight } from "../../src/delivery/gainsight.ts";
import { createHttpClient } from "../../src/delivery/http-client.ts";
import { createClickstreamRequest } from "../../src/delivery/routes/clickstream.ts";
import { type Standin, createStandin } from "../../src/standin/standin.ts";
import { accessKey, sampleEvent, withStandin } from "../standin/with-standin.ts";
import { createTestClock } from "./test-clock.ts";

const callOf = (userId = "u1", messageId = "m1"): Call => ({
  kind: "call",
  type: "track",
  body: Buffer.from(JSON.stringify({ ...sampleEvent, userId, messageId })),
});

const first = { isFirst: true, refusalHistory: "never" } as const;

/** Opens with the third failure of three; the breaker's pause before a probe is 20 ms of real time. */
const breaker = { errorPercent: 50, minCalls: 3, windowMs: 10_000, probeMinMs: 40, probeMaxMs: 40 };

const createParts = () => {
  const clock = createTestClock();
  const holds: string[] = [];
  const calls: string[] = [];
  const options = {
    concurrency: 8,
    timeoutMs: 2_000,
    userAgent: "gainstream/test",
    monotonicNow: clock.now,
    schedule: clock.schedule,
    random: () => 0,
    breaker,
    onMaySend: () => {},
    onHold: ({ reason, isHeld }: { reason: string; isHeld: boolean }) => void holds.push(`${reason} ${isHeld}`),
    onCall: ({ call, status }: { call: string; status: string }) => void calls.push(`${call} ${status}`),
    failOnResultFalse: () => false,
    onResultFalse: () => {},
  };
  return { clock, holds, calls, options };
};

type Parts = ReturnType<typeof createParts> & { standin: Standin; delivery: Delivery; sent: () => number };

/** A delivery with its real HTTP client, over loopback against a stand-in. */
const withDelivery = (story: (parts: Parts) => Promise<void>): Promise<void> =>
  withStandin(async (standin) => {
    const parts = createParts();
    const http = createHttpClient({ origin: standin.url, timeoutMs: 2_000 });
    let sent = 0;
    const send: DeliveryOptions["send"] = (call, onAnswer) => {
      sent++;
      http.send(createClickstreamRequest({ pathPrefix: "", userAgent: "gainstream/test" })(call, accessKey), onAnswer);
    };
    const delivery = new Delivery({ ...parts.options, send, classifyResult: classify, onUnauthorized: () => {} });
    try {
      await story({ ...parts, standin, delivery, sent: () => sent });
    } finally {
      delivery.close();
      await http.close();
    }
  });

const attempt = (delivery: Delivery, call: Call, options: Parameters<Delivery["attempt"]>[1]): Promise<Verdict> =>
  new Promise((resolve) => {
    delivery.attempt(call, options, resolve);
  });

const attempts = async (delivery: Delivery, many: number, userId = "u1"): Promise<Verdict[]> => {
  const verdicts: Verdict[] = [];
  for (let call = 0; call < many; call++) verdicts.push(await attempt(delivery, callOf(userId, `m${call}`), first));
  return verdicts;
};

const isHalfOpen = (delivery: Delivery): Promise<void> =>
  vi.waitFor(() => expect(delivery.breakerState).toBe("half-open"), { interval: 5, timeout: 4_000 });

describe("delivery", () => {
  it("delivers, and reports the call", () =>
    withDelivery(async ({ delivery, standin, calls }) => {
      expect(await attempt(delivery, callOf(), first)).toEqual({ kind: "delivered" });
      expect(standin.ledger().distinct).toBe(1);
      expect(calls).toEqual(["track 200"]);
      expect(delivery.inFlight).toBe(0);
    }));

  it("turns the failure that opens the breaker into a hold: it uses no attempt", () =>
    withDelivery(async ({ delivery, standin, holds }) => {
      standin.faults.add({ kind: "outage", mode: "503" });
      const verdicts = await attempts(delivery, 3);
      expect(verdicts.map(({ kind }) => kind)).toEqual(["retry", "retry", "hold"]);
      expect(verdicts[2]).toMatchObject({ reason: "target_down", error: "Gainsight failed with status 503" });
      expect(holds).toEqual(["target_down true"]);
      expect([delivery.state, delivery.breakerState]).toEqual(["closed", "open"]);
    }));

  it("turns into holds all parallel failures but those before the breaker opened", () =>
    withDelivery(async ({ delivery, standin, holds }) => {
      standin.faults.add({ kind: "outage", mode: "503" });
      const verdicts = await Promise.all(
        Array.from({ length: 8 }, (_, call) => attempt(delivery, callOf(`u${call}`), first)),
      );
      expect(verdicts.filter(({ kind }) => kind === "retry").length).toBeLessThanOrEqual(2);
      expect(verdicts.every(({ kind }) => kind === "retry" || kind === "hold")).toBe(true);
      expect(holds).toEqual(["target_down true"]);
    }));

  it("turns failures into holds while the breaker is open, and delivers what succeeded", () =>
    withDelivery(async ({ delivery, standin, holds }) => {
      standin.faults.add({ kind: "outage", mode: "hang", match: { userId: "late" } });
      const late = attempt(delivery, callOf("late"), first);
      standin.faults.add({ kind: "latency", ms: 30, match: { userId: "slow" } });
      const slow = attempt(delivery, callOf("slow"), first);
      standin.faults.add({ kind: "status", status: 500, match: { userId: "bad" } });
      await attempts(delivery, 3, "bad");
      expect(delivery.breakerState).toBe("open");
      expect(await slow).toEqual({ kind: "delivered" });
      await standin.faults.clear();
      expect(await late).toMatchObject({ kind: "hold", reason: "target_down" });
      expect(holds).toEqual(["target_down true"]);
      expect(delivery.state).not.toBe("open");
    }));

  it("counts the repetitions of one round once, so that one bad event does not open the breaker", () =>
    withDelivery(async ({ delivery, standin }) => {
      standin.faults.add({ kind: "outage", mode: "503" });
      for (let call = 0; call < 20; call++) await attempt(delivery, callOf(), { ...first, isFirst: call === 0 });
      expect(delivery.breakerState).toBe("closed");
      await attempts(delivery, 2);
      expect(delivery.breakerState).toBe("open");
    }));

  it.each([
    [400, "dead"],
    [409, "retry"],
    [422, "dead"],
  ])("counts status %i neither as a failure of the target nor as a success", (status, kind) =>
    withDelivery(async ({ delivery, standin }) => {
      standin.faults.add({ kind: "status", status, match: { userId: "odd" } });
      standin.faults.add({ kind: "outage", mode: "503", match: { userId: "bad" } });
      const verdicts = await attempts(delivery, 12, "odd");
      expect(new Set(verdicts.map((verdict) => verdict.kind))).toEqual(new Set([kind]));
      await attempts(delivery, 3, "bad");
      expect(delivery.breakerState).toBe("open");
    }),
  );

  it("probes with one call after the pause, and its success ends the hold", () =>
    withDelivery(async ({ delivery, standin, holds }) => {
      standin.faults.add({ kind: "outage", mode: "503" });
      await attempts(delivery, 3);
      await isHalfOpen(delivery);
      expect(delivery.state).toBe("probe");
      await standin.faults.clear();
      const probe = attempt(delivery, callOf("u9"), first);
      expect(delivery.state).toBe("closed");
      expect(await probe).toEqual({ kind: "delivered" });
      expect([delivery.state, delivery.breakerState]).toEqual(["open", "closed"]);
      expect(holds).toEqual(["target_down true", "target_down false"]);
    }));

  it("turns a failed probe into a hold, also in a repetition of a round, and waits for the next", () =>
    withDelivery(async ({ delivery, standin, holds }) => {
      standin.faults.add({ kind: "outage", mode: "503" });
      await attempts(delivery, 3);
      for (const isFirst of [true, false]) {
        await isHalfOpen(delivery);
        expect(await attempt(delivery, callOf(), { ...first, isFirst })).toMatchObject({
          kind: "hold",
          reason: "target_down",
        });
        expect([delivery.state, delivery.breakerState]).toEqual(["closed", "open"]);
      }
      expect(holds).toEqual(["target_down true"]);
    }));

  it("sends the next probe at once if the target refuses the event of the first", () =>
    withDelivery(async ({ delivery, standin }) => {
      standin.faults.add({ kind: "outage", mode: "503" });
      await attempts(delivery, 3);
      await isHalfOpen(delivery);
      await standin.faults.clear();
      standin.faults.add({ kind: "status", status: 400, count: 1 });
      expect(await attempt(delivery, callOf(), first)).toMatchObject({ kind: "dead", reason: "rejected" });
      expect([delivery.state, delivery.breakerState]).toEqual(["probe", "half-open"]);
      expect(await attempt(delivery, callOf(), first)).toEqual({ kind: "delivered" });
      expect([delivery.state, delivery.breakerState]).toEqual(["open", "closed"]);
    }));

  it("waits for Retry-After if it is throttled, and then probes", () =>
    withDelivery(async ({ delivery, standin, clock, holds }) => {
      standin.faults.add({ kind: "status", status: 429, retryAfter: "30", count: 1 });
      expect(await attempt(delivery, callOf(), first)).toMatchObject({ kind: "hold", reason: "throttled" });
      clock.advance(29_999);
      expect(delivery.state).toBe("closed");
      clock.advance(1);
      expect(delivery.state).toBe("probe");
      expect(await attempt(delivery, callOf(), first)).toEqual({ kind: "delivered" });
      expect(holds).toEqual(["throttled true", "throttled false"]);
    }));

  it("holds every event if a 503 has Retry-After, but its event uses the attempt", () =>
    withDelivery(async ({ delivery, standin, clock }) => {
      standin.faults.add({ kind: "status", status: 503, retryAfter: "5", count: 1 });
      expect(await attempt(delivery, callOf(), first)).toMatchObject({ kind: "retry", reason: "server_error" });
      expect([delivery.state, delivery.holds]).toEqual(["closed", ["throttled"]]);
      clock.advance(5_000);
      expect(await attempt(delivery, callOf(), first)).toEqual({ kind: "delivered" });
      expect(delivery.state).toBe("open");
    }));

  it.each<[number, string]>([
    [401, "unauthorized"],
    [403, "unauthorized"],
    [404, "misconfigured"],
    [405, "misconfigured"],
    [302, "misconfigured"],
    [429, "throttled"],
  ])("holds the stream on status %i as %s, and the breaker does not count it", (status, reason) =>
    withDelivery(async ({ delivery, standin, clock, sent }) => {
      standin.faults.add({ kind: "status", status });
      expect(await attempt(delivery, callOf(), first)).toMatchObject({ kind: "hold", reason, status });
      for (let probe = 0; probe < 5; probe++) {
        clock.advance(60_000);
        expect(delivery.state).toBe("probe");
        await attempt(delivery, callOf(), first);
      }
      expect(delivery.holds).toEqual([reason]);
      expect(delivery.breakerState).toBe("closed");
      expect(sent()).toBe(6);
    }),
  );

  it("ends `unauthorized` with a probe that gets 400: the key works, only the event does not", () =>
    withDelivery(async ({ delivery, standin, clock, holds }) => {
      standin.faults.add({ kind: "revoked-key", count: 1 });
      await attempt(delivery, callOf(), first);
      clock.advance(60_000);
      standin.faults.add({ kind: "status", status: 400, count: 1 });
      expect(await attempt(delivery, callOf(), first)).toMatchObject({ kind: "dead", reason: "rejected" });
      expect(holds).toEqual(["unauthorized true", "unauthorized false"]);
      expect(delivery.state).toBe("open");
    }));

  it("waits after a probe that failed by the target's fault: events must not use their attempts during a hold", () =>
    withDelivery(async ({ delivery, standin, clock }) => {
      standin.faults.add({ kind: "status", status: 429, retryAfter: "1", count: 1 });
      standin.faults.add({ kind: "status", status: 500 });
      await attempt(delivery, callOf(), first);
      clock.advance(1_000);
      expect(delivery.state).toBe("probe");
      expect(await attempt(delivery, callOf(), first)).toMatchObject({ kind: "retry", reason: "server_error" });
      expect([delivery.state, delivery.holds]).toEqual(["closed", ["throttled"]]);
      clock.advance(2_000);
      expect(delivery.state).toBe("probe");
    }));

  it("keeps a hold that its probe could not test: a target that fails has not accepted the key", () =>
    withDelivery(async ({ delivery, standin, clock }) => {
      standin.faults.add({ kind: "revoked-key", count: 1 });
      await attempt(delivery, callOf(), first);
      clock.advance(60_000);
      standin.faults.add({ kind: "outage", mode: "503" });
      await attempt(delivery, callOf(), first);
      expect(delivery.holds).toEqual(["unauthorized"]);
    }));

  it("sends a call again, once and at once, if it was never sent, and not if it may have been sent", async () => {
    await withDelivery(async ({ delivery, standin, sent, calls }) => {
      standin.faults.add({ kind: "outage", mode: "reset" });
      expect(await attempt(delivery, callOf(), first)).toMatchObject({ kind: "retry", reason: "network" });
      expect(sent()).toBe(1);
      await standin.close();
      expect(await attempt(delivery, callOf(), first)).toMatchObject({ kind: "retry", reason: "network" });
      expect(sent()).toBe(3);
      expect(calls).toEqual(["track network", "track network"]);
    });
  });

  it.each([
    [200, 2],
    [201, 1],
  ])("sends an unsent call again only within a tenth of its time-out: after %i of 2,000 ms", async (afterMs, many) => {
    vi.useFakeTimers({ toFake: ["performance"] });
    let sent = 0;
    const send: DeliveryOptions["send"] = (_, onAnswer) => {
      sent++;
      vi.advanceTimersByTime(afterMs);
      onAnswer({ kind: "network", code: "ECONNREFUSED", sent: false });
    };
    const delivery = new Delivery({
      ...createParts().options,
      send,
      classifyResult: classify,
      onUnauthorized: () => {},
    });
    try {
      expect(await attempt(delivery, callOf(), first)).toMatchObject({ kind: "retry", reason: "network" });
      expect(sent).toBe(many);
    } finally {
      delivery.close();
      vi.useRealTimers();
    }
  });

  it.each([false, true])("learns nothing from an aborted call; the call is a probe: %s", async (isProbe) => {
    const parts = createParts();
    const answers: CallResult[] = isProbe ? [{ kind: "response", status: 401 }] : [];
    const send: DeliveryOptions["send"] = (_, onAnswer) => onAnswer(answers.shift() ?? { kind: "aborted" });
    const delivery = new Delivery({ ...parts.options, send, classifyResult: classify, onUnauthorized: () => {} });
    if (isProbe) await attempt(delivery, callOf(), first);
    parts.clock.advance(1_000);
    for (let call = 0; call < 5; call++) expect(await attempt(delivery, callOf(), first)).toEqual({ kind: "aborted" });
    expect([delivery.breakerState, delivery.inFlight]).toEqual(["closed", 0]);
    expect([delivery.state, delivery.holds]).toEqual(isProbe ? ["probe", ["unauthorized"]] : ["open", []]);
    expect(parts.calls.slice(-5)).toEqual(Array.from({ length: 5 }, () => "track aborted"));
    delivery.close();
  });

  it("reports calls that end after `close`, and does not throw", () =>
    withDelivery(async ({ delivery, standin }) => {
      standin.faults.add({ kind: "outage", mode: "hang" });
      const calls = [attempt(delivery, callOf("u1"), first), attempt(delivery, callOf("u2"), first)];
      delivery.close();
      await expect.poll(() => delivery.inFlight).toBe(2);
      await standin.close();
      for (const verdict of await Promise.all(calls)) expect(verdict.kind).toBe("hold");
    }));
});

describe("gainsight", () => {
  it("holds while the key is refused, and continues by itself when the file has a key that works", async () => {
    const [oldKey, newKey] = ["old".padEnd(36, "-"), "new".padEnd(36, "-")];
    const folder = mkdtempSync(join(tmpdir(), "gainstream-key-"));
    const path = join(folder, "key");
    writeFileSync(path, oldKey);
    const standin = await createStandin({ accessKey: oldKey });
    const { options, holds } = createParts();
    const accessKeyFile = { read: () => oldKey, path };
    const gainsight = createGainsight({ ...options, url: standin.url, accessKey: accessKeyFile, watchFile: watchFile });
    const { delivery } = gainsight;
    try {
      expect(await attempt(delivery, callOf("u1", "m1"), first)).toEqual({ kind: "delivered" });
      standin.setAccessKey(newKey);
      expect(await attempt(delivery, callOf("u1", "m2"), first)).toMatchObject({ reason: "unauthorized" });
      // Calls went through until now, so the first probe goes at once.
      expect(await attempt(delivery, callOf("u1", "m2"), first)).toMatchObject({ reason: "unauthorized" });
      expect(delivery.state).toBe("closed");
      writeFileSync(path, newKey);
      // The real poll of the file: the clock stands still, and no pause is over.
      await vi.waitFor(() => expect(delivery.state).toBe("probe"), { timeout: 10_000 });
      expect(await attempt(delivery, callOf("u1", "m2"), first)).toEqual({ kind: "delivered" });
      expect(delivery.state).toBe("open");
      expect(holds).toEqual(["unauthorized true", "unauthorized false"]);
      expect(standin.ledger().distinct).toBe(2);
    } finally {
      await gainsight.close();
      await standin.close();
      rmSync(folder, { recursive: true });
    }
  }, 20_000);

  it("finds a key that was replaced just before the refusal, and probes without a pause", async () => {
    const [oldKey, newKey] = ["old".padEnd(36, "-"), "new".padEnd(36, "-")];
    const folder = mkdtempSync(join(tmpdir(), "gainstream-key-"));
    const path = join(folder, "key");
    writeFileSync(path, oldKey);
    const standin = await createStandin({ accessKey: newKey });
    const accessKeyFile = { read: () => oldKey, path };
    const { options } = createParts();
    const gainsight = createGainsight({ ...options, url: standin.url, accessKey: accessKeyFile, watchFile: watchFile });
    try {
      writeFileSync(path, newKey);
      expect(await attempt(gainsight.delivery, callOf(), first)).toMatchObject({ reason: "unauthorized" });
      expect(gainsight.delivery.state).toBe("probe");
      expect(await attempt(gainsight.delivery, callOf(), first)).toEqual({ kind: "delivered" });
    } finally {
      await gainsight.close();
      await standin.close();
      rmSync(folder, { recursive: true });
    }
  });
});
