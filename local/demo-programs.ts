import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import type { ClusterAddress } from "./cluster.ts";
import { ALLOWED_EVENTS } from "./demo-data.ts";
import { SCHEMA_FILE, type DemoTopicNames } from "./demo-topics.ts";
import { freePorts } from "./ports.ts";
import type { ProcessGuard } from "./process-guard.ts";

/** The service or the stand-in, running as its own process. */
export interface Program {
  readonly url: string;
  readonly logFile: string;
  /** Resolves when the process ends: "exit code 0" or the signal, such as "SIGKILL". */
  readonly ended: Promise<string>;
  /** Sends SIGTERM and resolves as `ended` does. */
  stop(): Promise<string>;
}

interface ProgramOptions {
  readonly guard: ProcessGuard;
  readonly name: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly url: string;
  /** A path that answers 200 when the program is ready. */
  readonly readyPath: string;
}

/** Only the stand-in accepts this key, so it is no secret. */
const TOY_KEY = "00000000-0000-4000-8000-000000000000";
const MAIN = join(import.meta.dirname, "..", "src", "main.ts");
const READY_LIMIT_MS = 30_000;
const LOG_LINES = 5;

export async function startStandin(guard: ProcessGuard): Promise<Program> {
  const [port = 0] = await freePorts(1);
  const args = ["standin", "--port", String(port), "--access-key", TOY_KEY];
  return startProgram({ guard, name: "stand-in", args, env: {}, url: `http://127.0.0.1:${port}`, readyPath: "/" });
}

export interface ServiceOptions {
  readonly guard: ProcessGuard;
  readonly cluster: ClusterAddress;
  readonly names: DemoTopicNames;
  readonly delays: readonly string[];
  readonly targetUrl: string;
}

/** Starts the service as in production: it gets only its environment and its settings file. */
export async function startService({ guard, cluster, names, delays, targetUrl }: ServiceOptions): Promise<Program> {
  const [port = 0] = await freePorts(1);
  const settings = join(guard.folder, "settings.yaml");
  await writeFile(settings, `events: ${JSON.stringify(ALLOWED_EVENTS)}\n`);
  const env = {
    KAFKA_BROKERS: cluster.brokers,
    KAFKA_GROUP_ID: names.group,
    SCHEMA_REGISTRY_URL: cluster.registryUrl,
    AVRO_SCHEMA_FILE: SCHEMA_FILE,
    SOURCE_TOPICS: names.source,
    RETRY_TOPIC: `${names.group}-retry`,
    RETRY_DELAYS: delays.join(","),
    DEAD_LETTER_TOPIC: names.deadLetter,
    GAINSIGHT_URL: targetUrl,
    GAINSIGHT_ACCESS_KEY: TOY_KEY,
    BREAKER_PROBE_MIN: "500ms",
    BREAKER_PROBE_MAX: "2s",
    SETTINGS_FILE: settings,
    HTTP_HOST: "127.0.0.1",
    HTTP_PORT: String(port),
  };
  return startProgram({
    guard,
    name: "service",
    args: ["run"],
    env,
    url: `http://127.0.0.1:${port}`,
    readyPath: "/readyz",
  });
}

async function logTail({ logFile }: Program): Promise<string> {
  return (await readFile(logFile, "utf8")).trimEnd().split("\n").slice(-LOG_LINES).join("\n");
}

async function startProgram({ guard, name, args, env, url, readyPath }: ProgramOptions): Promise<Program> {
  const logFile = join(guard.folder, `${name}.log`);
  // Only these variables: the demo's events must not go to a GAINSIGHT_URL of the caller's environment.
  const variables = Object.entries(env).map(([key, value]) => `${key}=${value}`);
  const { PATH = "" } = process.env;
  const child = await guard.start({
    command: "env",
    args: ["-i", `PATH=${PATH}`, ...variables, process.execPath, MAIN, ...args],
    logFile,
  });
  const program = {
    url,
    logFile,
    ended: child.ended,
    stop() {
      child.signal("SIGTERM");
      return child.ended;
    },
  };
  await untilReady(name, program, `${url}${readyPath}`);
  return program;
}

async function untilReady(name: string, program: Program, readyUrl: string): Promise<void> {
  const deadline = Date.now() + READY_LIMIT_MS;
  let exit: string | undefined;
  void program.ended.then((how) => (exit = how));
  while (!(await isReady(readyUrl))) {
    const problem = exit ?? (Date.now() > deadline ? `not ready after ${READY_LIMIT_MS / 1000} s` : undefined);
    if (problem !== undefined) throw await programError(name, program, problem);
    await sleep(50);
  }
}

const isReady = (url: string): Promise<boolean> =>
  fetch(url).then(
    (response) => response.ok,
    () => false,
  );

/** An error that says why the program does not run, with the end of its log. */
export async function programError(name: string, program: Program, how: string): Promise<Error> {
  return new Error(`The ${name} is not running (${how}). The end of its log:\n${await logTail(program)}`);
}
