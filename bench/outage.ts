import { readFileSync } from "node:fs";

import { type Bench, type Row, type BenchContext, atMostRow, infoRow } from "./bench.ts";
import { residentMegabytes } from "./process.ts";
import { type Service, startService } from "./service.ts";
import { openTopic, userEvents } from "./topic.ts";
import { pause, waitUntil } from "./until.ts";

const connections = 64;
const latencyMs = 20;
const beforeMs = 3_000;
const rateMs = 2_000;
/** Within this the calls in flight have ended, and what the outage is has been noticed. */
const noticedMs = 2_000;

/** Connections that were refused to anyone on this machine so far. Source: proc_pid_net(5), snmp, AttemptFails. */
const refusedConnections = (): number =>
  Number(/Tcp: (?:[-\d]+ ){6}(\d+)/.exec(readFileSync("/proc/net/snmp", "utf8"))?.[1] ?? Number.NaN);

const recordsBehind = async ({ kafka }: BenchContext, topic: string): Promise<number> => {
  const admin = kafka.admin();
  await admin.connect();
  const names = (await admin.listTopics()).filter((name) => name.startsWith(`${topic}-`));
  const offsets = await Promise.all(names.map((name) => admin.fetchTopicOffsets(name)));
  await admin.disconnect();
  return offsets.flat().reduce((sum, { high }) => sum + Number(high), 0);
};

const deliveredOf = ({ sink }: BenchContext): Promise<number | undefined> =>
  sink.stats().then(
    ({ delivered }) => delivered,
    () => undefined,
  );

const rateOver = async (stage: BenchContext, ms: number): Promise<number> => {
  const startedAt = performance.now();
  const before = (await deliveredOf(stage)) ?? 0;
  await pause(ms);
  return (((await deliveredOf(stage)) ?? 0) - before) / ((performance.now() - startedAt) / 1_000);
};

interface Outage {
  readonly rows: readonly Row[];
  readonly endedAt: number;
}

/** Where answers are 503 the sink counts them; where connections are refused it cannot, but this machine does. */
const sitThroughOutage = async (stage: BenchContext, service: Service): Promise<Outage> => {
  const { sink, args } = stage;
  const { outage: mode, outageMs: durationMs } = args;
  const calls = async (): Promise<number> =>
    mode === "refuse" ? refusedConnections() : ((await sink.stats()).byStatus[mode] ?? 0);
  const callsBefore = await calls();
  await sink.addFault({ kind: "outage", mode, durationMs });
  const startedAt = performance.now();
  await pause(noticedMs);
  const callsNoticed = await calls();
  const ownNoticed = await service.calls();
  const memory: number[] = [];
  const isNearlyOver = async (): Promise<boolean> => {
    memory.push(residentMegabytes(service.pid));
    return performance.now() - startedAt > durationMs - 1_000;
  };
  await waitUntil(isNearlyOver, { what: "The end of the outage", limitMs: durationMs, everyMs: 1_000 });
  const callsAtLast = await calls();
  const rows = [
    infoRow(`calls in the first ${noticedMs / 1_000} s of the outage`, callsNoticed - callsBefore),
    mode === "refuse"
      ? infoRow("connections refused afterwards to anyone on this machine", callsAtLast - callsNoticed)
      : atMostRow(
          30,
          `calls in all but the ${connections} under way when it began`,
          callsAtLast - callsBefore - connections,
        ),
    atMostRow(30, "calls afterwards by the service's own metric", (await service.calls()) - ownNoticed),
    infoRow("MB resident at most", Math.max(...memory)),
    atMostRow(20, "MB away from the median, at most", spreadOf(memory)),
  ];
  return { rows, endedAt: startedAt + durationMs };
};

const spreadOf = (values: readonly number[]): number => {
  const median = values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
  return Math.max(...values.map((value) => Math.abs(value - median)));
};

/** Milliseconds from the return until half of the former rate was seen over half a second. */
const recoveryMs = async (stage: BenchContext, returnedAt: number, formerRate: number): Promise<number> => {
  await pause(returnedAt - performance.now());
  const isBack = async (): Promise<boolean> => (await rateOver(stage, 500)) >= formerRate / 2;
  await waitUntil(isBack, { what: "Half of the former rate", limitMs: 120_000, everyMs: 0 });
  return performance.now() - returnedAt;
};

/** The target goes away in the middle of the work: everything waits, and nothing moves to a tier. */
export const benchOutage: Bench = async (stage) => {
  const { sink, args } = stage;
  const { events = 200_000 } = args;
  const topic = await openTopic(stage, args.partitions);
  await topic.send(userEvents({ users: args.users, count: events }));
  await topic.close();
  await sink.reset({ kind: "latency", ms: latencyMs });
  const service = await startService(stage, { topic: topic.name, group: topic.name, connections });
  try {
    await waitUntil(async () => (await sink.stats()).delivered > 0, { what: "The first event", limitMs: 60_000 });
    await pause(beforeMs);
    const formerRate = await rateOver(stage, rateMs);
    const { rows, endedAt } = await sitThroughOutage(stage, service);
    const recovered = await recoveryMs(stage, endedAt, formerRate);
    const isDone = async (): Promise<boolean> => (await sink.stats()).distinct >= events;
    await waitUntil(isDone, { what: `Not all of ${events} events: the rest`, limitMs: 600_000 });
    const { duplicates, inversions } = await sink.stats();
    return [
      infoRow(`events/s before an outage (${args.outage}) of ${args.outageMs / 1_000} s`, formerRate),
      ...rows,
      atMostRow(10, "seconds from the return to half of that", recovered / 1_000),
      atMostRow(0, "records in retry and dead-letter topics", await recordsBehind(stage, topic.name)),
      // What is in flight when connections break is taken all the same, and its answer is lost.
      atMostRow(args.outage === "refuse" ? connections : 0, "duplicates", duplicates),
      atMostRow(0, "inversions", inversions),
    ];
  } finally {
    await service.stop();
  }
};
