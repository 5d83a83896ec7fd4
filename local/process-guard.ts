import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { GuardCommand, GuardReport } from "./guard.ts";

/** A process that ends when its guard ends. */
export interface GuardedProcess {
  readonly pid: number;
  /** Resolves when the process ends: "exit code 1" or the signal, such as "SIGKILL". */
  readonly ended: Promise<string>;
  signal(signal: "SIGTERM" | "SIGKILL"): void;
}

export interface ProcessGuard {
  /** A temporary folder that is removed when the guard ends. */
  readonly folder: string;
  /** Rejects if the command cannot be run. Output goes to `logFile`. */
  start(program: { command: string; args: readonly string[]; logFile: string }): Promise<GuardedProcess>;
  /** Kills everything that was started and removes the folder. */
  end(): Promise<void>;
}

/** A process that was requested, and the promises to settle when the guard reports. */
interface Pending {
  readonly process: Promise<GuardedProcess>;
  started(pid: number | undefined): void;
  ended(how: string): void;
}

type Send = (command: GuardCommand) => void;

/**
 * Starts a guard. Its processes end and its folder is removed when `end()` is called or when this process dies, even by
 * kill -9: the guard sees the channel between the two processes close.
 */
export async function createProcessGuard(): Promise<ProcessGuard> {
  const folder = await mkdtemp(join(tmpdir(), "gainstream-"));
  // Its own session: Ctrl-C in the terminal must not end the guard before it has cleaned up.
  const child = fork(join(import.meta.dirname, "guard.ts"), [folder], {
    detached: true,
    execArgv: [],
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  const guardEnded = once(child, "exit");
  const pending: Pending[] = [];
  void guardEnded.then(() => pending.forEach((one) => one.ended("its guard ended")));
  child.on("message", (message) => {
    const report = message as GuardReport;
    if (report.kind === "started") pending[report.id]?.started(report.pid);
    else pending[report.id]?.ended(report.how);
  });
  const send: Send = (command) => {
    if (child.connected) child.send(command);
    else pending[command.id]?.ended("its guard ended");
  };
  return {
    folder,
    start(program) {
      const id = pending.length;
      const next = createPending({ id, command: program.command, send });
      pending.push(next);
      send({ kind: "start", id, ...program });
      return next.process;
    },
    async end() {
      if (child.connected) child.disconnect();
      await guardEnded;
    },
  };
}

function createPending({ id, command, send }: { id: number; command: string; send: Send }): Pending {
  const starting = Promise.withResolvers<GuardedProcess>();
  const ending = Promise.withResolvers<string>();
  return {
    process: starting.promise,
    started(pid = 0) {
      starting.resolve({ pid, ended: ending.promise, signal: (signal) => send({ kind: "signal", id, signal }) });
    },
    ended(how) {
      ending.resolve(how);
      starting.reject(new Error(`Cannot start ${command}: ${how}`));
    },
  };
}
