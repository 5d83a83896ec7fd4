import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { type LiveSettings, createLiveSettings } from "../../../src/config/settings/live-settings.ts";
import { type Settings, parseSettings } from "../../../src/config/settings/settings.ts";

const pollMs = 1_000;
const initial = parseSettings("events: [A]");

describe("createLiveSettings()", () => {
  let folder: string;
  let file: string;
  let live: LiveSettings;
  let reads: (string | undefined)[];
  let changes: Settings[];

  const open = (path: string | undefined): void => {
    live = createLiveSettings({
      file: path,
      initial,
      wallNow: Date.now,
      onReload: (problem) => reads.push(problem),
      pollMs,
    });
    live.onChange((settings) => changes.push(settings));
  };
  const write = (text: string): void => writeFileSync(file, text);

  /** A change takes effect at the second poll that sees it. */
  const pollTwice = (): void => void vi.advanceTimersByTime(2 * pollMs);

  beforeEach(() => {
    vi.useFakeTimers();
    folder = mkdtempSync(join(tmpdir(), "gainstream-settings-"));
    file = join(folder, "settings.yaml");
    write("events: [A]");
    reads = [];
    changes = [];
  });
  afterEach(() => {
    live.close();
    vi.useRealTimers();
    rmSync(folder, { recursive: true });
  });

  it("keeps the initial settings and polls nothing if there is no file", () => {
    open(undefined);
    expect(vi.getTimerCount()).toBe(0);
    expect(live).toMatchObject({ current: initial, problem: undefined, changedAt: Date.now() });
  });

  it("reloads a valid change within two polls, reports it once, and stops when it is closed", () => {
    open(file);
    pollTwice();
    write("events: [A, B]\ndeadLetterLimit: false");
    pollTwice();
    const expected = { ...initial, events: ["A", "B"], deadLetterLimit: false };
    expect(live).toMatchObject({ current: expected, problem: undefined, changedAt: Date.now() });
    vi.advanceTimersByTime(10 * pollMs);
    expect(changes).toEqual([expected]);
    expect(reads).toEqual([undefined]);
    live.close();
    expect(vi.getTimerCount()).toBe(0);
  });

  it("reloads a change between the read at the start and the first poll", () => {
    write("events: [B]");
    open(file);
    pollTwice();
    expect(live.current.events).toEqual(["B"]);
  });

  it("reports nothing if the file was rewritten with the same settings", () => {
    open(file);
    pollTwice();
    write("# the same\nevents: [A]");
    pollTwice();
    expect([reads, changes]).toEqual([[], []]);
  });

  it("rejects a wrong change, keeps the previous settings, and reports the reason once per change", () => {
    open(file);
    pollTwice();
    write("events: [3]\nevnts: []");
    pollTwice();
    const problem =
      "settings.events[0]: got '3', want a list of event names as text, such as [Order Completed]; " +
      "settings.evnts is unknown; known settings are " +
      Object.keys(initial).join(", ");
    expect(live).toMatchObject({ current: initial, problem, changedAt: Date.now() });
    vi.advanceTimersByTime(10 * pollMs);
    expect(reads).toEqual([problem]);
    write("events: [4]\nevnts: []\n");
    pollTwice();
    expect(reads).toHaveLength(2);
    expect(changes).toEqual([]);
  });

  it("lists twenty of many mistakes, and counts the others", () => {
    open(file);
    pollTwice();
    write(`events: [${"3,".repeat(1_000)}]`);
    pollTwice();
    expect(live.problem).toMatch(/^settings.events\[0\]: .*; settings.events\[19\]: [^;]*; and 980 more mistakes$/);
  });

  it("reports no problem any more when the wrong change is reverted", () => {
    open(file);
    pollTwice();
    write("events: [");
    pollTwice();
    expect(live.problem).toMatch(/valid YAML/);
    write("events: [A]");
    pollTwice();
    expect(live).toMatchObject({ current: initial, problem: undefined, changedAt: Date.now() });
    expect(reads).toHaveLength(2);
    expect(changes).toEqual([]);
  });

  it("does not treat a file that is being written as empty, which would allow every event", () => {
    open(file);
    pollTwice();
    write("");
    vi.advanceTimersByTime(pollMs);
    write("events: [A, B]");
    pollTwice();
    expect(changes.map(({ events }) => events)).toEqual([["A", "B"]]);
  });

  it("keeps the settings if the file disappears, and reports it", () => {
    open(file);
    pollTwice();
    unlinkSync(file);
    pollTwice();
    expect(live).toMatchObject({ current: initial, problem: expect.stringContaining("a readable file") });
  });

  it("follows the symlink that Kubernetes swaps under a mounted ConfigMap", () => {
    const mount = (version: string, text: string): void => {
      mkdirSync(join(folder, version));
      writeFileSync(join(folder, version, "mounted.yaml"), text);
      symlinkSync(version, join(folder, "..data_tmp"));
      renameSync(join(folder, "..data_tmp"), join(folder, "..data"));
    };
    mount("..2026_01_01", "events: [A]");
    const mounted = join(folder, "mounted.yaml");
    symlinkSync(join("..data", "mounted.yaml"), mounted);
    open(mounted);
    pollTwice();
    mount("..2026_01_02", "events: [B]");
    pollTwice();
    expect(live.current.events).toEqual(["B"]);
    expect(changes).toHaveLength(1);
  });
});
