import { setTimeout as sleep } from "node:timers/promises";

import { patchTimer } from "../src/kafka/timer-patch.ts";
import { useOrStartCluster } from "./cluster.ts";
import { createDemoFaults, runDemoFaults, produceAll, RETRY_DELAYS } from "./demo-acts.ts";
import { type DemoData, createDemoData } from "./demo-cast.ts";
import { collectEvidence } from "./demo-evidence.ts";
import { programError, type Program, startService, startStandin } from "./demo-programs.ts";
import type { CleanupScope } from "./demo-scope.ts";
import { openDemoTopics, type DemoTopics } from "./demo-stage.ts";
import { formatCount, evaluate } from "./demo-verdict.ts";
import { createView, formatVerdict, type Screen, type DemoView } from "./demo-view.ts";
import { fetchProgress, describeChanges, NO_PROGRESS, type Progress } from "./demo-watch.ts";
import { createProcessGuard } from "./guarded.ts";

/** What was shown: where it runs, and whether every promise was kept. */
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
  /** Leave the service running. */
  readonly keep: boolean;
  readonly screen: Screen;
}

interface DemoSetup {
  readonly stage: DemoTopics;
  readonly standin: Program;
  readonly service: Program;
  readonly brokers: string;
  readonly registryUrl: string;
}

const WATCH_EVERY_MS = 200;
/** From the first event on; together with start and end it stays below 90 s. */
const SHOW_LIMIT_MS = 50_000;
/** A repeat that comes late should still be seen. */
const AFTERMATH_MS = 1500;

/** Brings everything up, plays the acts, judges what came of it and prints the verdict. */
export async function runDemo({ scope, keep, screen }: DemoOptions): Promise<DemoResult> {
  const say = (line: string): void => void screen.write(`${line}\n`);
  say("Starting a Kafka, a schema registry, a stand-in for Gainsight and the service …");
  patchTimer();
  const setup = await startDemo(scope);
  const cast = createDemoData({ events: 10_000, users: 1_000, poison: 12, seed: 2026, startAt: Date.now() - 300_000 });
  const total = cast.records.filter(({ fate }) => fate.kind === "deliver").length;
  say(introduce(cast, total));
  const view = createView({ screen, total, wallNow: Date.now });
  scope.onQuiet(() => view.stop());
  await perform({ house: setup, cast, view });
  view.stop();
  if (!keep) await stopService(setup);
  say("\nRead from the stand-in's ledger and from the topics, not from the service:\n");
  const verdict = evaluate(await collectEvidence({ cast, stage: setup.stage, standin: setup.standin.url }));
  say(formatVerdict(verdict, screen));
  const { service, standin, stage, brokers, registryUrl } = setup;
  return {
    isKept: verdict.broken.length === 0,
    service: service.url,
    standin: standin.url,
    brokers,
    registryUrl,
    source: stage.names.source,
    logFile: service.logFile,
  };
}

async function startDemo(scope: CleanupScope): Promise<DemoSetup> {
  const cluster = await scope.register(useOrStartCluster(), (started) => started.stop());
  const stage = await scope.register(openDemoTopics(cluster, RETRY_DELAYS), (opened) => opened.close());
  const guard = await scope.register(createProcessGuard(), (started) => started.end());
  const standin = await startStandin(guard);
  const starting = startService({
    guard,
    cluster,
    names: stage.names,
    delays: RETRY_DELAYS,
    targetUrl: standin.url,
  });
  // Stopped in order, so that it leaves its group, which could not be removed otherwise.
  const service = await scope.register(starting, (started) => started.stop());
  const { brokers, registryUrl } = cluster;
  return { stage, standin, service, brokers, registryUrl };
}

function introduce({ records, users }: DemoData, total: number): string {
  return `All up: ${formatCount(records.length)} records of ${formatCount(users)} users come in Avro, ${formatCount(total)} of them for Gainsight.\n`;
}

interface Performance {
  readonly house: DemoSetup;
  readonly cast: DemoData;
  readonly view: DemoView;
}

/** Produces, disturbs and watches at once; resolves when every record is settled, or its time is up. */
async function perform({ house: setup, cast, view }: Performance): Promise<void> {
  const { service, standin, stage } = setup;
  const playing = Promise.all([
    produceAll(stage, cast).then(() => view.say("All is produced; what still waits comes now")),
    runDemoFaults(createDemoFaults(cast.unlucky), { url: standin.url, say: view.say }),
  ]);
  const watching = watch({ house: setup, cast, view });
  const failing = Promise.race([
    service.ended.then(async (how) => Promise.reject(await programError("service", service, how))),
    standin.ended.then(async (how) => Promise.reject(await programError("stand-in", standin, how))),
  ]);
  await Promise.race([Promise.all([playing, watching]), failing]);
}

async function watch({ house: setup, cast, view }: Performance): Promise<void> {
  const deadline = Date.now() + SHOW_LIMIT_MS;
  const from = { service: setup.service.url, standin: setup.standin.url, source: setup.stage.names.source };
  let before: Progress = NO_PROGRESS;
  for (;;) {
    const now = await fetchProgress(from);
    for (const line of describeChanges(before, now)) view.say(line);
    view.show(now);
    before = now;
    if (await isSettled(setup, cast, now)) return sleep(AFTERMATH_MS);
    if (Date.now() > deadline) return view.say("Time is up, and not everything has arrived");
    await sleep(WATCH_EVERY_MS);
  }
}

async function isSettled({ stage }: DemoSetup, { records }: DemoData, { delivered }: Progress): Promise<boolean> {
  const wanted = (kind: string): number => records.filter(({ fate }) => fate.kind === kind).length;
  if (delivered < wanted("deliver")) return false;
  if ((await stage.size([stage.names.deadLetter])) < wanted("dead")) return false;
  return (await stage.committed()) >= records.length;
}

async function stopService({ service }: DemoSetup): Promise<void> {
  const how = await service.stop();
  if (how !== "exit code 0") throw await programError("service", service, how);
}
