import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { type LiveSettings, createLiveSettings } from "../../../src/config/settings/reload.ts";
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
      now: Date.now,
      onRead: (problem) => reads.push(problem),
      pollMs,
    });
    live.onChange((settings) => changes.push(settings));
  };
  const write = (text: string): void => writeFileSync(file, text);

  /** A change counts at the second look that sees it. */
  const settle = (): void => void vi.advanceTimersByTime(2 * pollMs);

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

  it("keeps the settings it was given where there is no file, and looks at nothing", () => {
    open(undefined);
    expect(vi.getTimerCount()).toBe(0);
    expect(live).toMatchObject({ current: initial, problem: undefined, since: Date.now() });
  });

  it("takes up a good change within two looks, tells once, and ends when it is closed", () => {
    open(file);
    settle();
    write("events: [A, B]\ndeadLetterLimit: false");
    settle();
    const expected = { ...initial, events: ["A", "B"], deadLetterLimit: false };
    expect(live).toMatchObject({ current: expected, problem: undefined, since: Date.now() });
    vi.advanceTimersByTime(10 * pollMs);
    expect(changes).toEqual([expected]);
    expect(reads).toEqual([undefined]);
    live.close();
    expect(vi.getTimerCount()).toBe(0);
  });

  it("takes up what was written between the start's reading and its first look", () => {
    write("events: [B]");
    open(file);
    settle();
    expect(live.current.events).toEqual(["B"]);
  });

  it("says nothing where the file was written anew with the same settings", () => {
    open(file);
    settle();
    write("# the same\nevents: [A]");
    settle();
    expect([reads, changes]).toEqual([[], []]);
  });

  it("refuses a wrong change, keeps what was before, and says why once per change", () => {
    open(file);
    settle();
    write("events: [3]\nevnts: []");
    settle();
    const problem =
      "settings.events[0]: got '3', want a list of event names as text, such as [Order Completed]; " +
      "settings.evnts: got an unknown setting, want one of the known ones: " +
      Object.keys(initial).join(", ");
    expect(live).toMatchObject({ current: initial, problem, since: Date.now() });
    vi.advanceTimersByTime(10 * pollMs);
    expect(reads).toEqual([problem]);
    write("events: [4]\nevnts: []\n");
    settle();
    expect(reads).toHaveLength(2);
    expect(changes).toEqual([]);
  });

  it("tells twenty of many mistakes, and how many more there are", () => {
    open(file);
    settle();
    write(`events: [${"3,".repeat(1_000)}]`);
    settle();
    expect(live.problem).toMatch(/^settings.events\[0\]: .*; settings.events\[19\]: [^;]*; and 980 more mistakes$/);
  });

  it("is content again when the wrong change is taken back", () => {
    open(file);
    settle();
    write("events: [");
    settle();
    expect(live.problem).toMatch(/valid YAML/);
    write("events: [A]");
    settle();
    expect(live).toMatchObject({ current: initial, problem: undefined, since: Date.now() });
    expect(reads).toHaveLength(2);
    expect(changes).toEqual([]);
  });

  it("does not take a file that is just being written for an empty one, which would let every event go", () => {
    open(file);
    settle();
    write("");
    vi.advanceTimersByTime(pollMs);
    write("events: [A, B]");
    settle();
    expect(changes.map(({ events }) => events)).toEqual([["A", "B"]]);
  });

  it("keeps the settings where the file goes missing, and says so", () => {
    open(file);
    settle();
    unlinkSync(file);
    settle();
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
    settle();
    mount("..2026_01_02", "events: [B]");
    settle();
    expect(live.current.events).toEqual(["B"]);
    expect(changes).toHaveLength(1);
  });
});
