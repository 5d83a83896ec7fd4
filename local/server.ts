import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import type { ProcessGuard, GuardedProcess } from "./process-guard.ts";

/** A Java process that can be stopped and started again on the same port with the same data. */
export interface Server {
  /** Undefined while the process is not running. */
  readonly pid: number | undefined;
  /** Resolves when the server answers. Rejects with the end of its log. Does nothing if it is running. */
  start(): Promise<void>;
  /** Sends SIGTERM; resolves when the process has ended. */
  stop(): Promise<void>;
  /** Sends SIGKILL; resolves when the process has ended. */
  kill(): Promise<void>;
}

export interface JavaProgram {
  /** For error messages and the log file. */
  readonly name: string;
  /** The arguments after `java` and the common JVM options. */
  readonly args: readonly string[];
}

interface ServerOptions extends JavaProgram {
  readonly guard: ProcessGuard;
  /** Rejects while the server does not answer as it should. */
  readonly check: () => Promise<void>;
}

const READY_LIMIT_MS = 60_000;
const CHECK_EVERY_MS = 50;
const LOG_LINES = 20;

export function createServer({ guard, check, ...program }: ServerOptions): Server {
  let running: GuardedProcess | undefined;
  const end = async (signal: "SIGTERM" | "SIGKILL"): Promise<void> => {
    running?.signal(signal);
    await running?.ended;
  };
  return {
    get pid() {
      return running?.pid;
    },
    async start() {
      if (running !== undefined) return;
      const started = await startJava(guard, program);
      running = started;
      void started.ended.then(() => (running = undefined));
      const failure = await untilReady(started, check);
      if (failure !== undefined) throw await startError({ guard, name: program.name, failure });
    },
    stop: () => end("SIGTERM"),
    kill: () => end("SIGKILL"),
  };
}

/** Runs a Java program to its end. Rejects with the end of its log unless the exit code is 0. */
export async function runJava(guard: ProcessGuard, program: JavaProgram): Promise<void> {
  const how = await (await startJava(guard, program)).ended;
  if (how !== "exit code 0") throw await startError({ guard, name: program.name, failure: `ended with ${how}` });
}

/** These JVM options start fastest: measured 1.3 s instead of 2.5 s for the broker. */
function startJava(guard: ProcessGuard, { name, args }: JavaProgram): Promise<GuardedProcess> {
  const quick = ["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData"];
  return guard.start({
    command: "java",
    args: ["-Xmx512m", ...quick, `-Djava.io.tmpdir=${guard.folder}`, ...args],
    logFile: logFile(guard, name),
  });
}

async function untilReady({ ended }: GuardedProcess, check: () => Promise<void>): Promise<string | undefined> {
  const deadline = Date.now() + READY_LIMIT_MS;
  let exit: string | undefined;
  void ended.then((how) => (exit = how));
  for (;;) {
    const problem = await check().then(() => undefined, String);
    if (exit !== undefined) return `ended before it was ready (${exit})`;
    if (problem === undefined) return undefined;
    if (Date.now() > deadline) return `is not ready after ${READY_LIMIT_MS / 1000} s (${problem})`;
    await sleep(CHECK_EVERY_MS);
  }
}

async function startError({
  guard,
  name,
  failure,
}: {
  guard: ProcessGuard;
  name: string;
  failure: string;
}): Promise<Error> {
  const log = await readFile(logFile(guard, name), "utf8");
  return new Error(
    `Cannot start ${name}: it ${failure}. The end of its log:\n${log.split("\n").slice(-LOG_LINES).join("\n")}`,
  );
}

function logFile(guard: ProcessGuard, name: string): string {
  return join(guard.folder, `${name}.log`);
}
