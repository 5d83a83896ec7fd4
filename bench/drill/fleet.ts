import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import { freePorts } from "../../local/ports.ts";
import type { ProcessGuard } from "../../local/process-guard.ts";
import { heapEnvironment, heapFlags, peakMegabytes } from "../process.ts";

/** The part of /api/status that the drill uses. */
export interface Status {
  readonly ready: boolean;
  readonly holds: readonly string[];
}

/** One process of the service. A restart is a new instance. */
export interface Instance {
  readonly number: number;
  readonly pid: number;
  readonly status: () => Promise<Status | undefined>;
  /** kill -9. */
  readonly kill: () => Promise<void>;
  /** Sends SIGTERM; resolves when the process has ended. */
  readonly stop: () => Promise<void>;
  /** Sends SIGSTOP or SIGCONT. */
  readonly freeze: (isFrozen: boolean) => void;
}

export interface Fleet {
  readonly running: readonly Instance[];
  /** Starts an instance. Its wall clock is wrong by `skewMs`. */
  readonly launch: (options?: { readonly skewMs?: number }) => Promise<Instance>;
  readonly setAccessKey: (accessKey: string) => Promise<void>;
  /** Updates the peak memory. Must be called regularly: the peak of an ended process cannot be read. */
  readonly measure: () => void;
  readonly peakMegabytes: () => number;
  /** One text for each process that ended by itself, or whose exit code after SIGTERM was not 0. */
  readonly unexpectedExits: readonly string[];
}

export interface FleetOptions {
  readonly guard: ProcessGuard;
  /** The program: dist/main.js or src/main.ts. */
  readonly main: string;
  /** The folder for the logs. */
  readonly logs: string;
  readonly accessKey: string;
  readonly env: (launch: number, keyFile: string) => Readonly<Record<string, string>>;
  readonly onUnexpectedExit: (text: string) => void;
}

const statusFrom = async (port: number): Promise<Status | undefined> => {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/api/status`, { signal: AbortSignal.timeout(2_000) });
    return (await response.json()) as Status;
  } catch {
    return undefined;
  }
};

const readPeak = ({ pid }: Instance): number => {
  try {
    return peakMegabytes(pid);
  } catch {
    return 0;
  }
};

/** Runs Node with the flags of production and without the drill's own environment. */
const commandLine = (main: string, env: Readonly<Record<string, string>>, isSkewed: boolean): string[] => {
  const { PATH = "" } = process.env;
  const variables = Object.entries({ PATH, ...heapEnvironment, ...env }).map(([name, value]) => `${name}=${value}`);
  const preload = isSkewed ? ["--import", join(import.meta.dirname, "skew.ts")] : [];
  const flags = [...heapFlags, ...preload];
  return ["-i", ...variables, process.execPath, ...flags, main, "run"];
};

interface InstanceOptions {
  readonly number: number;
  readonly skewMs: number;
  readonly keyFile: string;
}

/** Starts one process of the service. `onEnd` gets a text if the process did not end as requested. */
const start = async (
  options: FleetOptions,
  instanceOptions: InstanceOptions,
  onEnd: (unexpectedExit?: string) => void,
): Promise<Instance> => {
  const { guard, main, logs, env } = options;
  const { number, skewMs, keyFile } = instanceOptions;
  const [port = 0] = await freePorts(1);
  const variables = { ...env(number, keyFile), HTTP_PORT: String(port), DRILL_SKEW_MS: String(skewMs) };
  const args = commandLine(main, variables, skewMs !== 0);
  const logFile = join(logs, `i${number}.log`);
  const child = await guard.start({ command: "env", args, logFile });
  let wanted = "that it runs";
  const end = async (how: "SIGKILL" | "SIGTERM"): Promise<void> => {
    wanted = how === "SIGKILL" ? how : "exit code 0";
    child.signal(how);
    await child.ended;
  };
  void child.ended.then((how) => {
    const unexpectedExit = `i${number} ended with ${how}, want ${wanted}. The end of its log:\n${lastLines(logFile)}`;
    onEnd(how === wanted ? undefined : unexpectedExit);
  });
  return {
    number,
    pid: child.pid,
    status: () => statusFrom(port),
    kill: () => end("SIGKILL"),
    stop: () => end("SIGTERM"),
    freeze: (isFrozen) => void process.kill(child.pid, isFrozen ? "SIGSTOP" : "SIGCONT"),
  };
};

const lastLines = (file: string): string =>
  readFileSync(file, "utf8")
    .trimEnd()
    .split("\n")
    .slice(-12)
    .map((line) => line.slice(0, 400))
    .join("\n");

/** The instances of the service; they end with the guard. */
export const createFleet = async (options: FleetOptions): Promise<Fleet> => {
  const keyFile = join(options.guard.folder, "access-key");
  const running: Instance[] = [];
  const unexpectedExits: string[] = [];
  let launches = 0;
  let peak = 0;
  await writeFile(keyFile, options.accessKey);
  return {
    running,
    launch: async ({ skewMs = 0 } = {}) => {
      const instance = await start(options, { number: ++launches, skewMs, keyFile }, (unexpectedExit) => {
        running.splice(running.indexOf(instance), 1);
        if (unexpectedExit === undefined) return;
        unexpectedExits.push(unexpectedExit);
        options.onUnexpectedExit(unexpectedExit);
      });
      running.push(instance);
      return instance;
    },
    setAccessKey: (accessKey) => writeFile(keyFile, accessKey),
    measure: () => {
      peak = Math.max(peak, ...running.map(readPeak));
    },
    peakMegabytes: () => peak,
    unexpectedExits,
  };
};
