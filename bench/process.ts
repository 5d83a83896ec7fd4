import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";

/**
 * The Node flags of production. The heap may use what a 200 MB process allows, and idle times do not shrink it. Objects are
 * never allocated directly in the old space: V8 would do so for queued records, because most of them survive a collection,
 * and full collections would be 50 % more frequent. One thread scavenges: several threads on two cores wait for each other
 * and use 10 MB more.
 */
export const heapFlags = [
  "--max-semi-space-size=8",
  "--heap-growing-percent=130",
  "--no-memory-reducer",
  "--no-allocation-site-pretenuring",
  "--no-parallel-scavenge",
];

/** As in the image: with malloc's default of eight arenas per core the process uses 10 MB more. */
export const heapEnvironment = { MALLOC_ARENA_MAX: "2" };

const ticksPerSecond = 100;

/** User and system CPU time of a process with all its threads, in microseconds. Source: proc_pid_stat(5). */
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

/** The peak resident memory of a process, in MB. */
export const peakMegabytes = (pid: number): number => megabytesOf("VmHWM", pid);

/** The current resident memory of a process, in MB. */
export const residentMegabytes = (pid: number): number => megabytesOf("VmRSS", pid);

export interface RunningProgram {
  readonly pid: number;
  readonly process: ChildProcess;
  readonly stop: () => Promise<void>;
}

/** Everything that is measured runs on this machine, so no proxy may be used. */
const noProxy = { NO_PROXY: "*", no_proxy: "*" };

/** Starts one of our own programs. Its standard error goes to the terminal. */
export const startProgram = (args: readonly string[], env: Record<string, string>): RunningProgram => {
  const child = spawn(process.execPath, args, {
    env: { ...process.env, ...noProxy, ...env },
    stdio: ["ignore", "pipe", "inherit"],
  });
  child.stdout.on("data", () => {});
  // The child must not outlive this process.
  const killChild = (): boolean => child.kill("SIGKILL");
  process.once("exit", killChild);
  child.once("exit", () => process.off("exit", killChild));
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
