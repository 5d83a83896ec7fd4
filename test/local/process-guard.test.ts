import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { createProcessGuard } from "../../local/process-guard.ts";
import type { ProcessGuard } from "../../local/process-guard.ts";
import { isRunning } from "./running.ts";

const STAY = { command: process.execPath, args: ["-e", "console.log('here'); setInterval(() => {}, 1000)"] };

describe("a guard", () => {
  let guard: ProcessGuard;
  beforeEach(async () => {
    guard = await createProcessGuard();
  });
  afterEach(() => guard.end());

  test("ends its processes and removes its folder, and end() may be called twice", async () => {
    const stay = await guard.start({ ...STAY, logFile: join(guard.folder, "stay.log") });
    expect(isRunning(stay.pid)).toBe(true);
    await guard.end();
    await guard.end();
    expect(await stay.ended).not.toBe("");
    expect(isRunning(stay.pid)).toBe(false);
    expect(existsSync(guard.folder)).toBe(false);
  });

  test("keeps the output and reports how a process ended", async () => {
    const logFile = join(guard.folder, "short.log");
    const short = await guard.start({ ...STAY, args: ["-e", "console.log('bye'); process.exitCode = 3"], logFile });
    expect(await short.ended).toBe("exit code 3");
    expect(await readFile(logFile, "utf8")).toBe("bye\n");
  });

  test.each(["SIGTERM", "SIGKILL"] as const)("sends %s to one process only", async (signal) => {
    const logFile = join(guard.folder, "stay.log");
    const [one, other] = await Promise.all([guard.start({ ...STAY, logFile }), guard.start({ ...STAY, logFile })]);
    one.signal(signal);
    expect(await one.ended).toBe(signal);
    expect(isRunning(other.pid)).toBe(true);
  });

  test("rejects a command that does not exist", async () => {
    const starting = guard.start({ command: "no-such-java", args: [], logFile: join(guard.folder, "none.log") });
    await expect(starting).rejects.toThrow("Cannot start no-such-java: spawn no-such-java ENOENT");
  });

  test("rejects a start after its end", async () => {
    await guard.end();
    const starting = guard.start({ ...STAY, logFile: join(guard.folder, "stay.log") });
    await expect(starting).rejects.toThrow("its guard ended");
  });
});

test.each(["SIGKILL", "SIGINT"] as const)("a guard cleans up if its parent dies of %s", async (signal) => {
  const script = `
    const { createProcessGuard } = await import(${JSON.stringify(new URL("../../local/process-guard.ts", import.meta.url).href)});
    const guard = await createProcessGuard();
    const stay = await guard.start({ ...${JSON.stringify(STAY)}, logFile: guard.folder + "/stay.log" });
    console.log(JSON.stringify({ pid: stay.pid, folder: guard.folder }));`;
  const parent = spawn(process.execPath, ["--input-type=module", "-e", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line] = await once(createInterface(parent.stdout), "line");
  const { pid, folder } = JSON.parse(line);
  expect(isRunning(pid)).toBe(true);
  parent.kill(signal);
  await expect.poll(() => isRunning(pid), { timeout: 4000 }).toBe(false);
  await expect.poll(() => existsSync(folder), { timeout: 4000 }).toBe(false);
});
