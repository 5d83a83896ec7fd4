import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { watchFile } from "../../src/config/file-watch.ts";
import { type Credentials, createCredentials } from "../../src/delivery/credentials.ts";

const oldKey = "old".padEnd(36, "-");
const newKey = "new".padEnd(36, "-");
/** Two polls of the file, one every second. */
const pollMs = 2_000;

describe("credentials", () => {
  let folder: string;
  let file: string;
  let credentials: Credentials;
  let changes: number;

  const open = (path: string | undefined): Credentials => {
    credentials = createCredentials({ file: path, initial: oldKey, onChange: () => changes++, watchFile: watchFile });
    return credentials;
  };

  beforeEach(() => {
    vi.useFakeTimers();
    folder = mkdtempSync(join(tmpdir(), "gainstream-key-"));
    file = join(folder, "key");
    writeFileSync(file, `${oldKey}\n`);
    changes = 0;
  });
  afterEach(() => {
    credentials.close();
    vi.useRealTimers();
    rmSync(folder, { recursive: true });
  });

  it("keep the configured key if there is no file, and watch nothing", () => {
    open(undefined);
    credentials.refresh();
    expect(vi.getTimerCount()).toBe(0);
    expect(credentials.accessKey).toBe(oldKey);
    expect(changes).toBe(0);
  });

  it("use a key that was written into the file, within two polls", () => {
    open(file);
    writeFileSync(file, `${newKey}\r\n`);
    expect(credentials.accessKey).toBe(oldKey);
    vi.advanceTimersByTime(pollMs);
    expect(credentials.accessKey).toBe(newKey);
    vi.advanceTimersByTime(10 * pollMs);
    expect(changes).toBe(1);
    credentials.close();
    expect(vi.getTimerCount()).toBe(0);
  });

  it("use the key of a file that replaced the old one", () => {
    open(file);
    writeFileSync(`${file}.next`, newKey);
    renameSync(`${file}.next`, file);
    vi.advanceTimersByTime(pollMs);
    expect(credentials.accessKey).toBe(newKey);
  });

  it("follow the symlink that Kubernetes swaps under a mounted Secret", () => {
    const mount = (version: string, key: string): void => {
      mkdirSync(join(folder, version));
      writeFileSync(join(folder, version, "access-key"), key);
      symlinkSync(version, join(folder, "..data_tmp"));
      renameSync(join(folder, "..data_tmp"), join(folder, "..data"));
    };
    mount("..2026_01_01", oldKey);
    const mounted = join(folder, "access-key");
    symlinkSync(join("..data", "access-key"), mounted);
    open(mounted);
    mount("..2026_01_02", newKey);
    vi.advanceTimersByTime(pollMs);
    expect(credentials.accessKey).toBe(newKey);
    expect(changes).toBe(1);
  });

  it("read the file at once on refresh", () => {
    open(file);
    writeFileSync(file, newKey);
    credentials.refresh();
    expect(credentials.accessKey).toBe(newKey);
    vi.advanceTimersByTime(pollMs);
    expect(changes).toBe(1);
  });

  it("ignore a file that is half written, and use it when it is complete", () => {
    open(file);
    writeFileSync(file, newKey.slice(0, 20));
    vi.advanceTimersByTime(pollMs);
    expect(credentials.accessKey).toBe(oldKey);
    writeFileSync(file, newKey);
    vi.advanceTimersByTime(pollMs);
    expect(credentials.accessKey).toBe(newKey);
  });

  it.each([
    ["goes missing", () => unlinkSync(file)],
    ["is emptied", () => writeFileSync(file, "")],
    ["contains a character that cannot be in a header", () => writeFileSync(file, `${newKey.slice(0, 35)}\u00e9`)],
    ["contains a line break in the middle", () => writeFileSync(file, `${newKey.slice(0, 17)}\n${newKey.slice(18)}`)],
    [
      "becomes a symlink to itself",
      () => {
        unlinkSync(file);
        symlinkSync(file, file);
      },
    ],
    ["contains a longer text", () => writeFileSync(file, `${newKey}${newKey}`)],
    [
      "becomes a folder",
      () => {
        unlinkSync(file);
        mkdirSync(file);
      },
    ],
  ])("keep the old key if the file %s", (_, spoil) => {
    open(file);
    spoil();
    vi.advanceTimersByTime(pollMs);
    credentials.refresh();
    expect(credentials.accessKey).toBe(oldKey);
    expect(changes).toBe(0);
  });

  it("report nothing if the file was rewritten with the same key", () => {
    open(file);
    writeFileSync(file, `  ${oldKey}\n\n`);
    vi.advanceTimersByTime(pollMs);
    expect(changes).toBe(0);
  });
});
