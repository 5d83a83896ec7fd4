import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";

/**
 * What the service is run with: the heap as large as 200 MB allow, and none of it given back in quiet times. Nothing is made in
 * the old heap: V8 would make what waits for its turn there, since most of that outlives one collection; each such record
 * then drags along what it names, and full collections come half as often again. Small collections are done by one thread:
 * several on two cores wait for each other, and keep 10 MB more.
 */
export const heapFlags = [
  "--max-semi-space-size=8",
  "--heap-growing-percent=130",
  "--no-memory-reducer",
  "--no-allocation-site-pretenuring",
  "--no-parallel-scavenge",
];

/** As the image has it: with eight arenas a core, malloc keeps 10 MB more. */
export const heapEnvironment = { MALLOC_ARENA_MAX: "2" };

const ticksPerSecond = 100;

/** CPU time of a process and all its threads, user and system, in microseconds. Source: proc(5). */
export const cpuMicros = (pid: number): number => {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return ((Number(fields[11]) + Number(fields[12])) * 1_000_000) / ticksPerSecond;
};

const megabytesOf = (field: "VmHWM" | "VmRSS", pid: number): number => {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const line = status.split("\n").find((text) => text.startsWith(field)) ?? "";
  return Math.round(Number(/\d+/.exec(line)?.[0] ?? 0) / 1024);
};

/** The most memory that a process has had, in MB. */
export const peakMegabytes = (pid: number): number => megabytesOf("VmHWM", pid);

/** The memory that a process has now, in MB. */
export const residentMegabytes = (pid: number): number => megabytesOf("VmRSS", pid);

export interface RunningProgram {
  readonly pid: number;
  readonly process: ChildProcess;
  readonly stop: () => Promise<void>;
}

/** What is measured is on this machine, and this is what proxies are told of it. */
const noProxy = { NO_PROXY: "*", no_proxy: "*" };

/** Starts one of our own programs; its errors go to the terminal. */
export const startProgram = (args: readonly string[], env: Record<string, string>): RunningProgram => {
  const child = spawn(process.execPath, args, {
    env: { ...process.env, ...noProxy, ...env },
    stdio: ["ignore", "pipe", "inherit"],
  });
  child.stdout.on("data", () => {});
  // Whatever ends this program must not leave its children behind.
  const end = (): boolean => child.kill("SIGKILL");
  process.once("exit", end);
  child.once("exit", () => process.off("exit", end));
  return {
    pid: child.pid ?? 0,
    process: child,
    stop: async () => {
      if (child.exitCode !== null) return;
      child.kill("SIGTERM");
      await once(child, "exit");
    },
  };
};
