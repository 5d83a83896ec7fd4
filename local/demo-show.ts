import { setTimeout as sleep } from "node:timers/promises";

import { patchTimer } from "../src/kafka/timer-patch.ts";
import { useOrStartCluster } from "./cluster.ts";
import { createActs, playActs, produceAll, RETRY_DELAYS } from "./demo-acts.ts";
import { type Cast, createCast } from "./demo-cast.ts";
import { collectEvidence } from "./demo-evidence.ts";
import { explain, type Program, startService, startStandin } from "./demo-programs.ts";
import type { Scope } from "./demo-scope.ts";
import { openStage, type Stage } from "./demo-stage.ts";
import { count, judge } from "./demo-verdict.ts";
import { createView, formatVerdict, type Screen, type View } from "./demo-view.ts";
import { askProgress, narrate, NO_PROGRESS, type Progress } from "./demo-watch.ts";
import { createGuard } from "./guarded.ts";

/** What was shown: where it runs, and whether every promise was kept. */
export interface Show {
  readonly isKept: boolean;
  readonly service: string;
  readonly standin: string;
  readonly brokers: string;
  readonly registryUrl: string;
  readonly source: string;
  readonly logFile: string;
}

export interface ShowOptions {
  readonly scope: Scope;
  /** Leave the service running. */
  readonly keep: boolean;
  readonly screen: Screen;
}

interface House {
  readonly stage: Stage;
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
export async function playShow({ scope, keep, screen }: ShowOptions): Promise<Show> {
  const say = (line: string): void => void screen.write(`${line}\n`);
  say("Starting a Kafka, a schema registry, a stand-in for Gainsight and the service …");
  patchTimer();
  const house = await buildHouse(scope);
  const cast = createCast({ events: 10_000, users: 1_000, poison: 12, seed: 2026, startAt: Date.now() - 300_000 });
  const total = cast.records.filter(({ fate }) => fate.kind === "deliver").length;
  say(introduce(cast, total));
  const view = createView({ screen, total, now: Date.now });
  scope.onQuiet(() => view.stop());
  await perform({ house, cast, view });
  view.stop();
  if (!keep) await stopService(house);
  say("\nRead from the stand-in's ledger and from the topics, not from the service:\n");
  const verdict = judge(await collectEvidence({ cast, stage: house.stage, standin: house.standin.url }));
  say(formatVerdict(verdict, screen));
  const { service, standin, stage, brokers, registryUrl } = house;
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

async function buildHouse(scope: Scope): Promise<House> {
  const cluster = await scope.keep(useOrStartCluster(), (started) => started.stop());
  const stage = await scope.keep(openStage(cluster, RETRY_DELAYS), (opened) => opened.close());
  const guard = await scope.keep(createGuard(), (started) => started.end());
  const standin = await startStandin(guard);
  const starting = startService({
    guard,
    cluster,
    names: stage.names,
    delays: RETRY_DELAYS,
    targetUrl: standin.url,
  });
  // Stopped in order, so that it leaves its group, which could not be removed otherwise.
  const service = await scope.keep(starting, (started) => started.stop());
  const { brokers, registryUrl } = cluster;
  return { stage, standin, service, brokers, registryUrl };
}

function introduce({ records, users }: Cast, total: number): string {
  return `All up: ${count(records.length)} records of ${count(users)} users come in Avro, ${count(total)} of them for Gainsight.\n`;
}

interface Performance {
  readonly house: House;
  readonly cast: Cast;
  readonly view: View;
}

/** Produces, disturbs and watches at once; resolves when every record is settled, or its time is up. */
async function perform({ house, cast, view }: Performance): Promise<void> {
  const { service, standin, stage } = house;
  const playing = Promise.all([
    produceAll(stage, cast).then(() => view.say("All is produced; what still waits comes now")),
    playActs(createActs(cast.unlucky), { url: standin.url, say: view.say }),
  ]);
  const watching = watch({ house, cast, view });
  const failing = Promise.race([
    service.ended.then(async (how) => Promise.reject(await explain("service", service, how))),
    standin.ended.then(async (how) => Promise.reject(await explain("stand-in", standin, how))),
  ]);
  await Promise.race([Promise.all([playing, watching]), failing]);
}

async function watch({ house, cast, view }: Performance): Promise<void> {
  const deadline = Date.now() + SHOW_LIMIT_MS;
  const from = { service: house.service.url, standin: house.standin.url, source: house.stage.names.source };
  let before: Progress = NO_PROGRESS;
  for (;;) {
    const now = await askProgress(from);
    for (const line of narrate(before, now)) view.say(line);
    view.show(now);
    before = now;
    if (await isSettled(house, cast, now)) return sleep(AFTERMATH_MS);
    if (Date.now() > deadline) return view.say("Time is up, and not everything has arrived");
    await sleep(WATCH_EVERY_MS);
  }
}

async function isSettled({ stage }: House, { records }: Cast, { delivered }: Progress): Promise<boolean> {
  const wanted = (kind: string): number => records.filter(({ fate }) => fate.kind === kind).length;
  if (delivered < wanted("deliver")) return false;
  if ((await stage.size([stage.names.deadLetter])) < wanted("dead")) return false;
  return (await stage.committed()) >= records.length;
}

async function stopService({ service }: House): Promise<void> {
  const how = await service.stop();
  if (how !== "exit code 0") throw await explain("service", service, how);
}
