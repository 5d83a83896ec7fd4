import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import { programEnv } from "../program-env.ts";

const projectRoot = fileURLToPath(new URL("../..", import.meta.url));
const limitMs = 40_000;
const pollEveryMs = 50;

interface LogLine {
  readonly level: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

interface Readiness {
  readonly ok: boolean;
  readonly reasons: readonly string[];
  readonly holds: readonly string[];
}

interface Status {
  readonly ready: boolean;
  readonly membership: string;
  readonly holds: readonly string[];
  readonly breaker: string;
  readonly totals: { readonly delivered: number; readonly skipped: number; readonly dead: number };
  readonly inFlight: number;
  readonly parkedUsers: number;
  readonly settings: { readonly ok: boolean; readonly problem?: string; readonly since: string };
  readonly lag: readonly { readonly topic: string; readonly partition: number; readonly lag: number }[];
}

/** The real service as a child process. */
export interface Service {
  /** The log lines on standard output so far. */
  readonly logs: readonly LogLine[];
  /** The text on standard error so far. */
  readonly errors: () => string;
  /** The exit code; null if a signal ended the process. */
  readonly exit: Promise<number | null>;
  readonly untilReady: () => Promise<void>;
  /** The body of /readyz, ready or not. */
  readonly readiness: () => Promise<Readiness>;
  readonly status: () => Promise<Status>;
  /** The sum of a metric over the series that have these labels. */
  readonly metric: (name: string, labels?: Readonly<Record<string, string>>) => Promise<number>;
  readonly signal: (signal: NodeJS.Signals) => void;
  /** Sends SIGTERM; resolves with the exit code. */
  readonly stop: () => Promise<number | null>;
  /** Sends SIGKILL, as a crash. */
  readonly kill: () => Promise<void>;
}

/** Calls `ask` until it gives a value that is not undefined; a rejection counts as undefined. Rejects after 40 s. */
export const until = async <T>(what: string, ask: () => Promise<T | undefined> | T | undefined): Promise<T> => {
  const deadline = Date.now() + limitMs;
  let problem: unknown;
  while (Date.now() < deadline) {
    try {
      const answer = await ask();
      if (answer !== undefined) return answer;
    } catch (error) {
      problem = error;
    }
    await sleep(pollEveryMs);
  }
  throw new Error(`Waited ${limitMs} ms in vain until ${what}`, { cause: problem });
};

const sumOf = (page: string, name: string, labels: Readonly<Record<string, string>>): number => {
  const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
  return page
    .split("\n")
    .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
    .filter((line) => wanted.every((label) => line.includes(label)))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" "))), 0);
};

/** Starts `gainstream run` with exactly this environment, which must have HTTP_PORT. */
export const launch = (env: Readonly<Record<string, string>>): Service => {
  const url = `http://127.0.0.1:${env["HTTP_PORT"]}`;
  const child = spawn(process.execPath, ["src/main.ts", "run"], {
    cwd: projectRoot,
    env: { ...programEnv, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const logs: LogLine[] = [];
  createInterface(child.stdout).on("line", (line) => logs.push(JSON.parse(line) as LogLine));
  let errors = "";
  child.stderr.on("data", (chunk) => (errors += String(chunk)));
  const exit = once(child, "exit").then(([code]) => code as number | null);
  const get = async (path: string): Promise<Response> => fetch(`${url}${path}`, { signal: AbortSignal.timeout(5_000) });
  const readiness = async (): Promise<Readiness> => (await (await get("/readyz")).json()) as Readiness;
  return {
    logs,
    errors: () => errors,
    exit,
    untilReady: () =>
      until(`the service is ready; standard error: ${errors}`, async () =>
        (await readiness()).ok ? null : undefined,
      ).then(() => undefined),
    readiness,
    status: async () => (await (await get("/api/status")).json()) as Status,
    metric: async (name, labels = {}) => sumOf(await (await get("/metrics")).text(), name, labels),
    signal: (signal) => void child.kill(signal),
    stop: () => {
      child.kill("SIGTERM");
      return exit;
    },
    kill: async () => {
      child.kill("SIGKILL");
      await exit;
    },
  };
};
