/**
 * The guard: a process of its own session that starts servers for its parent, kills them and removes their folder when
 * the parent says so or dies, however it dies. Started by `createGuard`; its one argument is the folder.
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

/** SIGKILL at once: what the servers would still write is removed in the next line. */
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
