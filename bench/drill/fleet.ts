import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import type { ProcessGuard } from "../../local/guarded.ts";
import { freePorts } from "../../local/ports.ts";
import { heapEnvironment, heapFlags, peakMegabytes } from "../process.ts";

/** What /api/status says of an instance, as far as the drill shows it. */
export interface Status {
  readonly ready: boolean;
  readonly holds: readonly string[];
}

/** One process of the service, from its start to its end; a restart is another one. */
export interface Instance {
  readonly number: number;
  readonly pid: number;
  readonly status: () => Promise<Status | undefined>;
  /** kill -9. */
  readonly kill: () => Promise<void>;
  /** SIGTERM; resolves when it has ended. */
  readonly stop: () => Promise<void>;
  /** SIGSTOP, or SIGCONT. */
  readonly freeze: (isFrozen: boolean) => void;
}

export interface Fleet {
  readonly running: readonly Instance[];
  /** Starts one more; `skewMs` is how wrong its wall clock is. */
  readonly launch: (options?: { readonly skewMs?: number }) => Promise<Instance>;
  readonly setAccessKey: (accessKey: string) => Promise<void>;
  /** Looks at the memory of each; a process that ends takes its peak along. */
  readonly measure: () => void;
  readonly peakMegabytes: () => number;
  /** Ends that nobody asked for, and graceful ones with an exit code other than 0. */
  readonly unexpectedExits: readonly string[];
}

export interface FleetOptions {
  readonly guard: ProcessGuard;
  /** The program: dist/main.js or src/main.ts. */
  readonly main: string;
  /** Where the logs go. */
  readonly logs: string;
  readonly accessKey: string;
  readonly env: (launch: number, keyFile: string) => Readonly<Record<string, string>>;
  readonly onUnexpectedExit: (text: string) => void;
}

const statusFrom = async (port: number): Promise<Status | undefined> => {
  try {
    const answer = await fetch(`http://127.0.0.1:${port}/api/status`, { signal: AbortSignal.timeout(2_000) });
    return (await answer.json()) as Status;
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

/** Node with the flags of production, and nothing of the drill's own environment. */
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

/** Starts one process of the service. `onEnd` hears how it ended where that is not as it was told to. */
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
  let wanted = "to go on";
  const end = async (how: "SIGKILL" | "SIGTERM"): Promise<void> => {
    wanted = how === "SIGKILL" ? how : "exit code 0";
    child.signal(how);
    await child.ended;
  };
  void child.ended.then((how) => {
    const unexpectedExit = `i${number} ended with ${how}, want ${wanted}; its last words:\n${lastLines(logFile)}`;
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
  const mishaps: string[] = [];
  let launches = 0;
  let peak = 0;
  await writeFile(keyFile, options.accessKey);
  return {
    running,
    launch: async ({ skewMs = 0 } = {}) => {
      const instance = await start(options, { number: ++launches, skewMs, keyFile }, (unexpectedExit) => {
        running.splice(running.indexOf(instance), 1);
        if (unexpectedExit === undefined) return;
        mishaps.push(unexpectedExit);
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
    unexpectedExits: mishaps,
  };
};
