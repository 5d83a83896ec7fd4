import { createHash } from "node:crypto";

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { readConfig } from "../../src/config/env/read-config.ts";
import type { Decide } from "../../src/core/decide.ts";
import type { JsonObject } from "../../src/core/json/json.ts";
import { createLog } from "../../src/ops/log.ts";
import type { HoldChange } from "../../src/ops/observer.ts";
import { createApp } from "../../src/service/compose.ts";
import {
  createLiveDedupe,
  createLiveDeadLetterLimit,
  createLiveDecide,
  openSettings,
  reportPause,
} from "../../src/service/live-settings.ts";
import { judgeOf, markedProperties, markedSettings, mountSettings } from "../mounted-settings.ts";

const pollMs = 1_000;
const env = { KAFKA_BROKERS: "127.0.0.1:1", GAINSIGHT_ACCESS_KEY: "0123abcd-4567-89ab-cdef-0123456789ab" };

let mounted: ReturnType<typeof mountSettings>;
let close: () => void;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  close();
  vi.useRealTimers();
  mounted.remove();
});

/** Real settings of a real file; only the clock is ours. */
const open = (text: string) => {
  mounted = mountSettings(text);
  const lines: { level: string; msg: string }[] = [];
  const destination = { write: (line: string) => void lines.push(JSON.parse(line) as (typeof lines)[number]) };
  const log = createLog({ level: "info", destination });
  const config = readConfig({ ...env, SETTINGS_FILE: mounted.file });
  const settings = openSettings({ config, log });
  ({ close } = settings);
  const holds: HoldChange[] = [];
  return {
    config,
    log,
    settings,
    lines,
    holds,
    stop: {
      settings,
      wallNow: Date.now,
      monotonicNow: Date.now,
      onHold: (change: HoldChange) => void holds.push(change),
    },
  };
};

const settle = (): void => void vi.advanceTimersByTime(3 * pollMs);

const change = (text: string): void => {
  mounted.rename(text);
  settle();
};

/** What is sent of an event; undefined where it is skipped. */
const sent = (decide: Decide, raw: JsonObject): JsonObject | undefined => {
  const { decision } = decide(raw);
  return decision.kind === "call" ? (JSON.parse(String(decision.body)) as JsonObject) : undefined;
};

const track = { type: "track", event: "A", userId: "u1" };

describe("settings in use", () => {
  it("decide for events, from the next event on", () => {
    const { settings, lines } = open("events: [A]");
    const decide = createLiveDecide(settings);
    expect(sent(decide, track)).toBeDefined();
    change("events: [B]");
    expect(sent(decide, track)).toBeUndefined();
    change("events: 3");
    expect(sent(decide, track)).toBeUndefined();
    expect(lines.map(({ level }) => level)).toEqual(["info", "warn"]);
  });

  it("hash personal data as SHA-256 in hex", () => {
    const { settings } = open("pii: { hash: [properties.email] }");
    const body = sent(createLiveDecide(settings), { ...track, properties: { email: "ü@example.com" } });
    const hash = createHash("sha256").update("ü@example.com").digest("hex");
    expect(body?.["properties"]).toEqual({ email: hash });
  });

  it("change a hundred times under load: no event is decided by a mixture, and each change counts", () => {
    const { settings } = open(markedSettings(0));
    const decide = createLiveDecide(settings);
    const versionInUse = (): number => {
      const body = sent(decide, { ...track, properties: markedProperties });
      return judgeOf((body?.["properties"] ?? {}) as JsonObject);
    };
    for (let version = 1; version <= 100; version++) {
      (version % 2 === 0 ? mounted.mount : mounted.rename)(markedSettings(version));
      for (let look = 0; look < 3; look++) {
        expect([version - 1, version]).toContain(versionInUse());
        vi.advanceTimersByTime(pollMs);
      }
      expect([settings.current.integrationNames.at(-1), versionInUse()]).toEqual([`v${version}`, version]);
    }
  });

  it("pause from the start, and report each change once", () => {
    const { stop, holds } = open("paused: true");
    reportPause(stop);
    const error = "The settings file says paused: true";
    expect(holds).toEqual([{ reason: "paused", isHeld: true, error, heldMs: 0 }]);
    change("paused: true\nevents: [A]");
    expect(holds).toHaveLength(1);
    change("");
    expect(holds.slice(1)).toMatchObject([{ reason: "paused", isHeld: false, heldMs: expect.any(Number) }]);
    expect(holds[1]?.heldMs).toBeGreaterThan(0);
  });

  it("let the pipeline continue once per change, after all other listeners", async () => {
    const { config, log, settings, lines } = open("paused: true");
    settings.close();
    const app = createApp({ config, log, onFatal: () => {} });
    ({ close } = app.settings);
    const lastLines: (string | undefined)[] = [];
    vi.spyOn(app.scheduler, "startReady").mockImplementation(() => void lastLines.push(lines.at(-1)?.msg));
    change("deadLetterLimit: false");
    expect(lastLines).toEqual(["Hold ended: paused"]);
    await app.gainsight.close();
  });

  it("end the dead-letter hold when the limit changes", () => {
    const { stop, holds } = open("deadLetterLimit: { consecutive: 1 }");
    const limit = createLiveDeadLetterLimit(stop);
    const count = () => limit.countIfAllowed({ topic: "events", reason: "undecodable" }, "No", 0);
    expect([count(), count()]).toEqual(["admitted", "held"]);
    change("deadLetterLimit: false");
    expect(limit.isHeld).toBe(false);
    expect(holds.map(({ reason, isHeld }) => [reason, isHeld])).toEqual([
      ["flooded", true],
      ["flooded", false],
    ]);
  });

  it("remember delivered events by the current rules", () => {
    const { settings } = open("");
    const dedupe = createLiveDedupe(settings, 1);
    dedupe.recordDelivered(0, "m1", Date.now());
    expect(dedupe.isDuplicate(0, "m1", Date.now)).toBe(true);
    change("dedupe: false");
    expect(dedupe.isDuplicate(0, "m1", Date.now)).toBe(false);
  });
});
