import { createHash } from "node:crypto";

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { readConfig } from "../../src/config/env/read-config.ts";
import type { Handler } from "../../src/core/decide.ts";
import type { JsonObject } from "../../src/core/json/json.ts";
import { createLog } from "../../src/ops/log.ts";
import type { HoldChange } from "../../src/ops/observer.ts";
import { createApp } from "../../src/service/compose.ts";
import {
  createLiveDedupe,
  createLiveFlood,
  createLiveHandler,
  openSettings,
  watchPause,
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
    stop: { settings, now: Date.now, hold: (change: HoldChange) => void holds.push(change) },
  };
};

const settle = (): void => void vi.advanceTimersByTime(3 * pollMs);

const change = (text: string): void => {
  mounted.rename(text);
  settle();
};

/** What is sent of an event; undefined where it is skipped. */
const sent = (handle: Handler, raw: JsonObject): JsonObject | undefined => {
  const { meaning } = handle(raw);
  return meaning.kind === "call" ? (JSON.parse(String(meaning.body)) as JsonObject) : undefined;
};

const track = { type: "track", event: "A", userId: "u1" };

describe("settings in use", () => {
  it("say what events mean, from the next event on", () => {
    const { settings, lines } = open("events: [A]");
    const handle = createLiveHandler(settings);
    expect(sent(handle, track)).toBeDefined();
    change("events: [B]");
    expect(sent(handle, track)).toBeUndefined();
    change("events: 3");
    expect(sent(handle, track)).toBeUndefined();
    expect(lines.map(({ level }) => level)).toEqual(["info", "warn"]);
  });

  it("hash personal data as SHA-256 in hex", () => {
    const { settings } = open("pii: { hash: [properties.email] }");
    const body = sent(createLiveHandler(settings), { ...track, properties: { email: "ü@example.com" } });
    const hash = createHash("sha256").update("ü@example.com").digest("hex");
    expect(body?.["properties"]).toEqual({ email: hash });
  });

  it("change a hundred times under load: no event is judged by a mixture, and each change counts", () => {
    const { settings } = open(markedSettings(0));
    const handle = createLiveHandler(settings);
    const judge = (): number => {
      const body = sent(handle, { ...track, properties: markedProperties });
      return judgeOf((body?.["properties"] ?? {}) as JsonObject);
    };
    for (let version = 1; version <= 100; version++) {
      (version % 2 === 0 ? mounted.mount : mounted.rename)(markedSettings(version));
      for (let look = 0; look < 3; look++) {
        expect([version - 1, version]).toContain(judge());
        vi.advanceTimersByTime(pollMs);
      }
      expect([settings.current.integrationNames.at(-1), judge()]).toEqual([`v${version}`, version]);
    }
  });

  it("pause from the start, and tell of each change once", () => {
    const { stop, holds } = open("paused: true");
    watchPause(stop);
    const error = "The settings file says paused: true";
    expect(holds).toEqual([{ reason: "paused", isHeld: true, error, heldMs: 0 }]);
    change("paused: true\nevents: [A]");
    expect(holds).toHaveLength(1);
    change("");
    expect(holds.slice(1)).toMatchObject([{ reason: "paused", isHeld: false, heldMs: expect.any(Number) }]);
    expect(holds[1]?.heldMs).toBeGreaterThan(0);
  });

  it("let the stream go on once per change, when everybody else has heard of it", async () => {
    const { config, log, settings, lines } = open("paused: true");
    settings.close();
    const app = createApp({ config, log, onFatal: () => {} });
    ({ close } = app.settings);
    const lastLines: (string | undefined)[] = [];
    vi.spyOn(app.stream, "pump").mockImplementation(() => void lastLines.push(lines.at(-1)?.msg));
    change("deadLetterLimit: false");
    expect(lastLines).toEqual(["Hold ended: paused"]);
    await app.gainsight.close();
  });

  it("let a flooded stream go on with another limit", () => {
    const { stop, holds } = open("deadLetterLimit: { consecutive: 1 }");
    const flood = createLiveFlood(stop);
    const admit = () => flood.admit({ topic: "events", reason: "undecodable" }, "No", 0);
    expect([admit(), admit()]).toEqual(["admitted", "held"]);
    change("deadLetterLimit: false");
    expect(flood.isHeld).toBe(false);
    expect(holds.map(({ reason, isHeld }) => [reason, isHeld])).toEqual([
      ["flooded", true],
      ["flooded", false],
    ]);
  });

  it("remember delivered events by the rules of the moment", () => {
    const { settings } = open("");
    const dedupe = createLiveDedupe(settings, 1);
    dedupe.delivered(0, "m1", Date.now());
    expect(dedupe.has(0, "m1", Date.now)).toBe(true);
    change("dedupe: false");
    expect(dedupe.has(0, "m1", Date.now)).toBe(false);
  });
});
