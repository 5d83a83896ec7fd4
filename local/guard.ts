/**
 * The guard process. It starts servers for its parent. When the parent disconnects or dies, even by kill -9, it kills the
 * servers and removes their folder. `createProcessGuard` starts it in its own session; its only argument is the folder.
 */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { rm } from "node:fs/promises";

export type GuardCommand =
  | { kind: "start"; id: number; command: string; args: readonly string[]; logFile: string }
  | { kind: "signal"; id: number; signal: "SIGTERM" | "SIGKILL" };

export type GuardReport =
  | { kind: "started"; id: number; pid: number | undefined }
  | { kind: "ended"; id: number; how: string };

const folder = process.argv[2];
const running = new Map<number, ChildProcess>();

function report(message: GuardReport): void {
  if (process.connected) process.send?.(message);
}

function start({ id, command, args, logFile }: Extract<GuardCommand, { kind: "start" }>): void {
  const log = openSync(logFile, "a");
  const child = spawn(command, args, { stdio: ["ignore", log, log], cwd: folder });
  closeSync(log);
  running.set(id, child);
  const ended = (how: string): void => {
    running.delete(id);
    report({ kind: "ended", id, how });
  };
  child.once("spawn", () => report({ kind: "started", id, pid: child.pid }));
  child.once("error", (error) => ended(error.message));
  child.once("exit", (code, signal) => ended(signal ?? `exit code ${code}`));
}

/** SIGKILL without a grace period: the data is removed anyway. */
async function end(): Promise<void> {
  for (const child of running.values()) {
    if (child.kill("SIGKILL")) await once(child, "exit");
  }
  if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  process.exit(0);
}

process.on("message", (message) => {
  const command = message as GuardCommand;
  if (command.kind === "start") start(command);
  else running.get(command.id)?.kill(command.signal);
});
for (const event of ["disconnect", "SIGTERM", "SIGINT", "SIGHUP"]) process.on(event, () => void end());
