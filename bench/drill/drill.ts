import { mkdir } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";

import { createProcessGuard } from "../../local/guarded.ts";
import { cohortOf, refusedEvent } from "./events.ts";
import { checkSource, untilDrained, duplicateExcusesOf } from "./evidence.ts";
import { faultRunners } from "./faults.ts";
import { createFleet, type Fleet } from "./fleet.ts";
import { startFlow } from "./flow.ts";
import { evaluate } from "./judge.ts";
import { createLedger, type Ledger } from "./ledger.ts";
import { recoveriesOf } from "./recovery.ts";
import { type Report, reportOf } from "./report.ts";
import { login } from "./rights.ts";
import type { FaultRun, DrillContext } from "./scene.ts";
import type { Fault, Schedule } from "./schedule.ts";
import { openStage, type DrillCluster } from "./stage.ts";
import { createTarget, type Target } from "./target.ts";
import { compressionOf, names, schemaFile, sources } from "./topics.ts";

export interface DrillOptions {
  readonly schedule: Schedule;
  readonly seed: number;
  readonly users: number;
  /** Events a second. */
  readonly rate: number;
  /** The program: dist/main.js or src/main.ts. */
  readonly main: string;
  /** Where the instances' logs go; a folder that goes with the drill unless given. */
  readonly logs?: string;
  /** One line of progress. */
  readonly say: (line: string) => void;
  /** How far it is, each second. */
  readonly onLive: (state: { produced: number; delivered: number; instances: number }) => void;
}

const firstKey = "00000000-0000-4000-8000-000000000000";
const firstInstances = 3;
const timeoutMs = 3_000;
const readyLimitMs = 60_000;

type Cleanup = (end: () => unknown) => void;

const environment = (stage: DrillCluster, target: Target) => (launch: number, keyFile: string) => ({
  KAFKA_BROKERS: stage.serviceBrokers,
  KAFKA_SASL_MECHANISM: "plain",
  KAFKA_SASL_USERNAME: login.username,
  KAFKA_SASL_PASSWORD: login.password,
  KAFKA_GROUP_ID: names.group,
  KAFKA_CLIENT_ID: `i${launch}`,
  KAFKA_COMPRESSION: compressionOf(launch),
  SCHEMA_REGISTRY_URL: stage.cluster.registryUrl,
  AVRO_SCHEMA_FILE: schemaFile,
  SOURCE_TOPICS: sources.join(","),
  RETRY_TOPIC: names.retry,
  RETRY_DELAYS: names.delays.join(","),
  RETRY_MAX_AGE: "20s",
  RETRY_MAX_ATTEMPTS: "4",
  DEAD_LETTER_TOPIC: names.deadLetter,
  GAINSIGHT_URL: target.urlOf(launch),
  GAINSIGHT_ACCESS_KEY_FILE: keyFile,
  GAINSIGHT_TIMEOUT: `${timeoutMs}ms`,
  GAINSIGHT_CONCURRENCY: "32",
  BREAKER_PROBE_MAX: "5s",
  HTTP_HOST: "127.0.0.1",
});

const untilReady = async ({ running }: Fleet): Promise<void> => {
  const deadline = Date.now() + readyLimitMs;
  for (;;) {
    const pages = await Promise.all(running.map(({ status }) => status()));
    if (pages.every((page) => page?.ready)) return;
    if (Date.now() > deadline) throw new Error(`Not every instance is ready after ${readyLimitMs / 1_000} s`);
    await sleep(200);
  }
};

const clockOf = (ms: number): string =>
  `${Math.floor(ms / 60_000)}:${String(Math.floor(ms / 1_000) % 60).padStart(2, "0")}`;

/** Plays the faults of one track, each at its time, or when the one before it has had its rest. */
const playTrack = async (faults: readonly Fault[], scene: DrillContext): Promise<FaultRun[]> => {
  const begunAt = Date.now();
  const drilled: FaultRun[] = [];
  let restedAt = 0;
  for (const { kind, atMs, restMs, ...fault } of faults) {
    await scene.wait(Math.max(begunAt + atMs, restedAt) - Date.now());
    const startedAt = Date.now();
    const { overAt, ...played } = await faultRunners[kind](fault, scene);
    restedAt = Date.now() + restMs;
    const endedAt = overAt ?? Date.now();
    drilled.push({ kind, startedAt, endedAt, ...played });
  }
  return drilled;
};

const openFleet = async (
  options: DrillOptions,
  parts: { stage: DrillCluster; target: Target; say: DrillOptions["say"]; atEnd: Cleanup },
): Promise<Fleet> => {
  const { stage, target, say, atEnd } = parts;
  const guard = await createProcessGuard();
  atEnd(() => guard.end());
  const { main, logs = guard.folder } = options;
  await mkdir(logs, { recursive: true });
  const env = environment(stage, target);
  const fleet = await createFleet({ guard, main, logs, accessKey: firstKey, env, onUnexpectedExit: say });
  for (let count = 0; count < firstInstances; count++) await fleet.launch();
  await untilReady(fleet);
  return fleet;
};

/** Looks at the fleet each second. */
const watch = ({ fleet, ledger, onLive }: { fleet: Fleet; ledger: Ledger; onLive: DrillOptions["onLive"] }) => {
  const timer = setInterval(() => {
    fleet.measure();
    onLive({ produced: ledger.entries.size, delivered: ledger.firstTimes.length, instances: fleet.running.length });
  }, 1_000);
  return () => clearInterval(timer);
};

const play = async ({ schedule }: DrillOptions, scene: DrillContext) => {
  const { flow, wait } = scene;
  const tracks = Promise.all([
    playTrack(schedule.main, scene),
    playTrack(schedule.side, scene),
    wait(schedule.lengthMs),
  ]);
  const [main, side] = await Promise.race([tracks, flow.running.then(() => tracks)]);
  await flow.stop();
  return { main, side };
};

const run = async (options: DrillOptions, atEnd: Cleanup): Promise<Report> => {
  const { seed, users, rate, onLive } = options;
  const stage = await openStage();
  atEnd(() => stage.close());
  const ledger = createLedger();
  const target = await createTarget({ accessKey: firstKey, seed, onAccepted: ledger.accept });
  atEnd(() => target.close());
  target.startUserFault({ kind: "status", status: 400, match: { event: refusedEvent } });
  const startedAt = Date.now();
  const say = (text: string): void => options.say(`${clockOf(Date.now() - startedAt)}  ${text}`);
  const fleet = await openFleet(options, { stage, target, say, atEnd });
  const flow = startFlow({ stage, ledger, seed, users, rate });
  atEnd(watch({ fleet, ledger, onLive }));
  const stopping = new AbortController();
  atEnd(() => stopping.abort());
  const wait = (ms: number): Promise<void> => sleep(Math.max(0, ms), undefined, { signal: stopping.signal });
  const unlucky = new Set<number>();
  const { main, side } = await play(options, { stage, target, fleet, flow, unlucky, timeoutMs, wait, say });
  say("no more events and no more faults");
  const drained = await untilDrained(stage);
  await Promise.all(fleet.running.map(({ stop: leave }) => leave()));
  const isUnlucky = (user: string): boolean => unlucky.has(cohortOf(user));
  const deadLetters = await stage.readDeadLetters();
  const excuses = duplicateExcusesOf(main);
  const { repeated, unproduced } = await checkSource(stage, flow, ledger);
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

/** Runs a drill on a cluster of its own. All that it starts ends with it. */
export const runDrill = async (options: DrillOptions): Promise<Report> => {
  const ends: (() => unknown)[] = [];
  try {
    return await run(options, (end) => ends.unshift(end));
  } finally {
    for (const end of ends) await end();
  }
};
