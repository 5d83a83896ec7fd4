import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import type { ProcessGuard, GuardedProcess } from "./guarded.ts";

/** One Java process that can be stopped and started again on the same port, with the same data. */
export interface Server {
  /** Undefined while it is not running. */
  readonly pid: number | undefined;
  /** Resolves when it really answers; refuses with the end of its log. Does nothing while it is running. */
  start(): Promise<void>;
  /** SIGTERM; resolves when it has ended. */
  stop(): Promise<void>;
  /** SIGKILL; resolves when it has ended. */
  kill(): Promise<void>;
}

export interface JavaProgram {
  /** For error messages and the log file. */
  readonly name: string;
  /** What follows `java` and the settings that all have. */
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
      if (failure !== undefined) throw await explain({ guard, name: program.name, failure });
    },
    stop: () => end("SIGTERM"),
    kill: () => end("SIGKILL"),
  };
}

/** Runs a Java program to its end; refuses, with the end of its log, when that is not exit code 0. */
export async function runJava(guard: ProcessGuard, program: JavaProgram): Promise<void> {
  const how = await (await startJava(guard, program)).ended;
  if (how !== "exit code 0") throw await explain({ guard, name: program.name, failure: `ended with ${how}` });
}

/** The settings are those that start fastest: measured 1.3 s instead of 2.5 s for the broker. */
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
  let how: string | undefined;
  void ended.then((value) => (how = value));
  for (;;) {
    const answer = await check().then(() => undefined, String);
    if (how !== undefined) return `ended before it was ready (${how})`;
    if (answer === undefined) return undefined;
    if (Date.now() > deadline) return `is not ready after ${READY_LIMIT_MS / 1000} s (${answer})`;
    await sleep(CHECK_EVERY_MS);
  }
}

async function explain({
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
    `Cannot start ${name}: it ${failure}; its log ends with:\n${log.split("\n").slice(-LOG_LINES).join("\n")}`,
  );
}

function logFile(guard: ProcessGuard, name: string): string {
  return join(guard.folder, `${name}.log`);
}
