import { setTimeout as sleep } from "node:timers/promises";

import { patchTimer } from "../src/kafka/timer-patch.ts";
import type { CleanupScope } from "./cleanup-scope.ts";
import { useOrStartCluster } from "./cluster.ts";
import { type DemoData, createDemoData } from "./demo-data.ts";
import { collectEvidence } from "./demo-evidence.ts";
import { createDemoFaults, runDemoFaults, produceAll, RETRY_DELAYS } from "./demo-faults.ts";
import { programError, type Program, startService, startStandin } from "./demo-programs.ts";
import { fetchProgress, describeChanges, NO_PROGRESS, type Progress } from "./demo-progress.ts";
import { openDemoTopics, type DemoTopics } from "./demo-topics.ts";
import { formatCount, evaluate } from "./demo-verdict.ts";
import { createView, formatVerdict, type Screen, type DemoView } from "./demo-view.ts";
import { createProcessGuard } from "./process-guard.ts";

/** Whether every promise was kept, and where everything runs. */
export interface DemoResult {
  readonly isKept: boolean;
  readonly service: string;
  readonly standin: string;
  readonly brokers: string;
  readonly registryUrl: string;
  readonly source: string;
  readonly logFile: string;
}

export interface DemoOptions {
  readonly scope: CleanupScope;
  /** Leaves the service running. */
  readonly keep: boolean;
  readonly screen: Screen;
}

interface DemoSetup {
  readonly topics: DemoTopics;
  readonly standin: Program;
  readonly service: Program;
  readonly brokers: string;
  readonly registryUrl: string;
}

const WATCH_EVERY_MS = 200;
/** From the first event on. With start and end, the demo takes less than 90 s. */
const RUN_LIMIT_MS = 50_000;
/** How long to watch for late duplicates after the last delivery. */
const LATE_DUPLICATE_WAIT_MS = 1500;

/** Starts everything, produces events while the faults happen, then compares the result with what was expected and prints it. */
export async function runDemo({ scope, keep, screen }: DemoOptions): Promise<DemoResult> {
  const say = (line: string): void => void screen.write(`${line}\n`);
  say("Starting Kafka, a schema registry, a stand-in for Gainsight and the service …");
  patchTimer();
  const setup = await startDemo(scope);
  const data = createDemoData({ events: 10_000, users: 1_000, poison: 12, seed: 2026, startAt: Date.now() - 300_000 });
  const total = data.records.filter(({ expected }) => expected.kind === "deliver").length;
  say(introduction(data, total));
  const view = createView({ screen, total, wallNow: Date.now });
  scope.onTerminalRelease(() => view.stop());
  await runEvents({ setup, data, view });
  view.stop();
  if (!keep) await stopService(setup);
  say("\nThe result, counted in the stand-in's ledger and in the Kafka topics, not by the service:\n");
  const verdict = evaluate(await collectEvidence({ data, topics: setup.topics, standin: setup.standin.url }));
  say(formatVerdict(verdict, screen));
  const { service, standin, topics, brokers, registryUrl } = setup;
  return {
    isKept: verdict.broken.length === 0,
    service: service.url,
    standin: standin.url,
    brokers,
    registryUrl,
    source: topics.names.source,
    logFile: service.logFile,
  };
}

async function startDemo(scope: CleanupScope): Promise<DemoSetup> {
  const cluster = await scope.register(useOrStartCluster(), (started) => started.stop());
  const topics = await scope.register(openDemoTopics(cluster, RETRY_DELAYS), (opened) => opened.close());
  const guard = await scope.register(createProcessGuard(), (started) => started.end());
  const standin = await startStandin(guard);
  const starting = startService({
    guard,
    cluster,
    names: topics.names,
    delays: RETRY_DELAYS,
    targetUrl: standin.url,
  });
  // The service stops gracefully and leaves its group. Kafka does not delete a group that has members.
  const service = await scope.register(starting, (started) => started.stop());
  const { brokers, registryUrl } = cluster;
  return { topics, standin, service, brokers, registryUrl };
}

function introduction({ records, users }: DemoData, total: number): string {
  return `Everything is running. ${formatCount(records.length)} Avro records of ${formatCount(users)} users follow; ${formatCount(total)} of them must reach Gainsight.\n`;
}

interface DemoRun {
  readonly setup: DemoSetup;
  readonly data: DemoData;
  readonly view: DemoView;
}

/** Produces, starts the faults and watches, all at once. Resolves when every record has its outcome, or when the time is up. */
async function runEvents({ setup, data, view }: DemoRun): Promise<void> {
  const { service, standin, topics } = setup;
  const running = Promise.all([
    produceAll(topics, data).then(() => view.say("All records are produced; the last ones are still being delivered")),
    runDemoFaults(createDemoFaults(data.failingUser), { url: standin.url, say: view.say }),
  ]);
  const watching = watchProgress({ setup, data, view });
  const failing = Promise.race([
    service.ended.then(async (how) => Promise.reject(await programError("service", service, how))),
    standin.ended.then(async (how) => Promise.reject(await programError("stand-in", standin, how))),
  ]);
  await Promise.race([Promise.all([running, watching]), failing]);
}

async function watchProgress({ setup, data, view }: DemoRun): Promise<void> {
  const deadline = Date.now() + RUN_LIMIT_MS;
  const from = { service: setup.service.url, standin: setup.standin.url, source: setup.topics.names.source };
  let before: Progress = NO_PROGRESS;
  for (;;) {
    const now = await fetchProgress(from);
    for (const line of describeChanges(before, now)) view.say(line);
    view.show(now);
    before = now;
    if (await isComplete(setup, data, now)) return sleep(LATE_DUPLICATE_WAIT_MS);
    if (Date.now() > deadline) return view.say("Time is up, but not every event has arrived");
    await sleep(WATCH_EVERY_MS);
  }
}

async function isComplete({ topics }: DemoSetup, { records }: DemoData, { delivered }: Progress): Promise<boolean> {
  const wanted = (kind: string): number => records.filter(({ expected }) => expected.kind === kind).length;
  if (delivered < wanted("deliver")) return false;
  if ((await topics.size([topics.names.deadLetter])) < wanted("dead")) return false;
  return (await topics.committed()) >= records.length;
}

async function stopService({ service }: DemoSetup): Promise<void> {
  const how = await service.stop();
  if (how !== "exit code 0") throw await programError("service", service, how);
}
