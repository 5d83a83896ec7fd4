import { mkdir } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";

import { createProcessGuard } from "../../local/process-guard.ts";
import { startDrillCluster, type DrillCluster } from "./cluster.ts";
import type { FaultRun, DrillContext } from "./context.ts";
import { cohortOf, refusedEvent } from "./events.ts";
import { checkSource, untilDrained, duplicateExcusesOf } from "./evidence.ts";
import { faultRunners } from "./faults.ts";
import { evaluate } from "./findings.ts";
import { createFleet, type Fleet } from "./fleet.ts";
import { startEventFlow } from "./flow.ts";
import { createLedger, type Ledger } from "./ledger.ts";
import { recoveriesOf } from "./recovery.ts";
import { type Report, reportOf } from "./report.ts";
import type { Fault, Schedule } from "./schedule.ts";
import { serviceEnvironment, timeoutMs } from "./service-environment.ts";
import { createTarget, type Target } from "./target.ts";

export interface DrillOptions {
  readonly schedule: Schedule;
  readonly seed: number;
  readonly users: number;
  /** Events per second. */
  readonly rate: number;
  /** The program: dist/main.js or src/main.ts. */
  readonly main: string;
  /** The folder for the logs of the instances; by default a temporary one. */
  readonly logs?: string;
  /** Gets one line about each fault. */
  readonly say: (line: string) => void;
  /** Called every second. */
  readonly onProgress: (state: { produced: number; delivered: number; instances: number }) => void;
}

const firstKey = "00000000-0000-4000-8000-000000000000";
const firstInstances = 3;
const readyLimitMs = 60_000;

type RegisterCleanup = (cleanup: () => unknown) => void;

const untilReady = async ({ running }: Fleet): Promise<void> => {
  const deadline = Date.now() + readyLimitMs;
  for (;;) {
    const statuses = await Promise.all(running.map(({ status }) => status()));
    if (statuses.every((status) => status?.ready)) return;
    if (Date.now() > deadline) throw new Error(`Not every instance is ready within ${readyLimitMs / 1_000} s`);
    await sleep(200);
  }
};

const clockOf = (ms: number): string =>
  `${Math.floor(ms / 60_000)}:${String(Math.floor(ms / 1_000) % 60).padStart(2, "0")}`;

/** Runs the faults of one track, each at its time, or later if the rest after the previous fault is not over. */
const runTrack = async (faults: readonly Fault[], context: DrillContext): Promise<FaultRun[]> => {
  const trackStartedAt = Date.now();
  const faultRuns: FaultRun[] = [];
  let restEndsAt = 0;
  for (const { kind, atMs, restMs, ...fault } of faults) {
    await context.wait(Math.max(trackStartedAt + atMs, restEndsAt) - Date.now());
    const startedAt = Date.now();
    const { overAt, ...effect } = await faultRunners[kind](fault, context);
    restEndsAt = Date.now() + restMs;
    const endedAt = overAt ?? Date.now();
    faultRuns.push({ kind, startedAt, endedAt, ...effect });
  }
  return faultRuns;
};

const openFleet = async (
  options: DrillOptions,
  parts: { cluster: DrillCluster; target: Target; say: DrillOptions["say"]; onEnd: RegisterCleanup },
): Promise<Fleet> => {
  const { cluster, target, say, onEnd } = parts;
  const guard = await createProcessGuard();
  onEnd(() => guard.end());
  const { main, logs = guard.folder } = options;
  await mkdir(logs, { recursive: true });
  const env = serviceEnvironment(cluster, target);
  const fleet = await createFleet({ guard, main, logs, accessKey: firstKey, env, onUnexpectedExit: say });
  for (let count = 0; count < firstInstances; count++) await fleet.launch();
  await untilReady(fleet);
  return fleet;
};

interface WatchOptions {
  readonly fleet: Fleet;
  readonly ledger: Ledger;
  readonly onProgress: DrillOptions["onProgress"];
}

/** Measures the fleet and reports the progress every second. */
const watch = ({ fleet, ledger, onProgress }: WatchOptions) => {
  const timer = setInterval(() => {
    fleet.measure();
    onProgress({
      produced: ledger.entries.size,
      delivered: ledger.firstAcceptedAt.length,
      instances: fleet.running.length,
    });
  }, 1_000);
  return () => clearInterval(timer);
};

const runSchedule = async ({ schedule }: DrillOptions, context: DrillContext) => {
  const { flow, wait } = context;
  const tracks = Promise.all([
    runTrack(schedule.main, context),
    runTrack(schedule.side, context),
    wait(schedule.lengthMs),
  ]);
  const [main, side] = await Promise.race([tracks, flow.running.then(() => tracks)]);
  await flow.stop();
  return { main, side };
};

const run = async (options: DrillOptions, onEnd: RegisterCleanup): Promise<Report> => {
  const { seed, users, rate, onProgress } = options;
  const cluster = await startDrillCluster();
  onEnd(() => cluster.close());
  const ledger = createLedger();
  const target = await createTarget({ accessKey: firstKey, seed, onAccepted: ledger.accept });
  onEnd(() => target.close());
  target.startUserFault({ kind: "status", status: 400, match: { event: refusedEvent } });
  const startedAt = Date.now();
  const say = (text: string): void => options.say(`${clockOf(Date.now() - startedAt)}  ${text}`);
  const fleet = await openFleet(options, { cluster, target, say, onEnd });
  const flow = startEventFlow({ cluster, ledger, seed, users, rate });
  onEnd(watch({ fleet, ledger, onProgress }));
  const stopping = new AbortController();
  onEnd(() => stopping.abort());
  const wait = (ms: number): Promise<void> => sleep(Math.max(0, ms), undefined, { signal: stopping.signal });
  const context = { cluster, target, fleet, flow, failedCohorts: new Set<number>(), timeoutMs, wait, say };
  const tracks = await runSchedule(options, context);
  say("all faults are over, and no more events are produced");
  return createReport(options, { ...context, ...tracks, ledger });
};

interface DrillRun extends DrillContext {
  /** The faults of the main track and of the side track, in order. */
  readonly main: readonly FaultRun[];
  readonly side: readonly FaultRun[];
  readonly ledger: Ledger;
}

/** Waits until everything is committed, stops the instances and compares the result with what was produced. */
const createReport = async ({ seed, rate }: DrillOptions, drillRun: DrillRun): Promise<Report> => {
  const { cluster, fleet, flow, failedCohorts, main, side, ledger } = drillRun;
  const drained = await untilDrained(cluster);
  await Promise.all(fleet.running.map(({ stop }) => stop()));
  const isUnlucky = (user: string): boolean => failedCohorts.has(cohortOf(user));
  const deadLetters = await cluster.readDeadLetters();
  const excuses = duplicateExcusesOf(main);
  const { repeated, unproduced } = await checkSource(cluster, flow, ledger);
  return reportOf({
    seed,
    findings: evaluate({ ledger, deadLetters, excuses, repeated, wasUnlucky: isUnlucky }),
    ledger,
    faultRuns: [...main, ...side],
    recoveries: recoveriesOf(main, { ledger, isUnlucky, rate }),
    unexpectedExits: fleet.unexpectedExits,
    peakMegabytes: fleet.peakMegabytes(),
    ...drained,
    unproduced,
  });
};

/** Runs a drill on its own cluster. Stops everything that it started. */
export const runDrill = async (options: DrillOptions): Promise<Report> => {
  const cleanups: (() => unknown)[] = [];
  try {
    return await run(options, (cleanup) => cleanups.unshift(cleanup));
  } finally {
    for (const cleanup of cleanups) await cleanup();
  }
};
