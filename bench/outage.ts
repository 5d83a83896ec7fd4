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
/** By then the calls in flight have ended and the service has detected the outage. */
const detectMs = 2_000;

/** Refused connections of all processes on this machine so far: AttemptFails in /proc/net/snmp, see proc_pid_net(5). */
const refusedConnections = (): number =>
  Number(/Tcp: (?:[-\d]+ ){6}(\d+)/.exec(readFileSync("/proc/net/snmp", "utf8"))?.[1] ?? Number.NaN);

const retryAndDeadRecords = async ({ kafka }: BenchContext, topic: string): Promise<number> => {
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

const rateOver = async (context: BenchContext, ms: number): Promise<number> => {
  const startedAt = performance.now();
  const before = (await deliveredOf(context)) ?? 0;
  await pause(ms);
  return (((await deliveredOf(context)) ?? 0) - before) / ((performance.now() - startedAt) / 1_000);
};

interface Outage {
  readonly rows: readonly Row[];
  readonly endedAt: number;
}

/** The sink counts calls that get 503. It cannot count refused connections, so those are counted by the kernel. */
const measureOutage = async (context: BenchContext, service: Service): Promise<Outage> => {
  const { sink, args } = context;
  const { outage: mode, outageMs: durationMs } = args;
  const calls = async (): Promise<number> =>
    mode === "refuse" ? refusedConnections() : ((await sink.stats()).byStatus[mode] ?? 0);
  const callsBefore = await calls();
  await sink.addFault({ kind: "outage", mode, durationMs });
  const startedAt = performance.now();
  await pause(detectMs);
  const callsDetected = await calls();
  const ownCallsDetected = await service.calls();
  const memory: number[] = [];
  const isNearlyOver = async (): Promise<boolean> => {
    memory.push(residentMegabytes(service.pid));
    return performance.now() - startedAt > durationMs - 1_000;
  };
  await waitUntil(isNearlyOver, { what: "the end of the outage", limitMs: durationMs, everyMs: 1_000 });
  const callsAtEnd = await calls();
  const rows = [
    infoRow(`calls in the first ${detectMs / 1_000} s of the outage`, callsDetected - callsBefore),
    mode === "refuse"
      ? infoRow("refused connections of all processes afterwards", callsAtEnd - callsDetected)
      : atMostRow(
          30,
          `all calls except the ${connections} in flight at the start`,
          callsAtEnd - callsBefore - connections,
        ),
    atMostRow(30, "calls afterwards, by the service's own metric", (await service.calls()) - ownCallsDetected),
    infoRow("MB resident, maximum", Math.max(...memory)),
    atMostRow(20, "MB from the median, maximum", maxDeviation(memory)),
  ];
  return { rows, endedAt: startedAt + durationMs };
};

const maxDeviation = (values: readonly number[]): number => {
  const median = values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
  return Math.max(...values.map((value) => Math.abs(value - median)));
};

/** Milliseconds from the end of the outage until the rate over half a second reaches half of the former rate. */
const recoveryMs = async (context: BenchContext, outageEndedAt: number, formerRate: number): Promise<number> => {
  await pause(outageEndedAt - performance.now());
  const isBack = async (): Promise<boolean> => (await rateOver(context, 500)) >= formerRate / 2;
  await waitUntil(isBack, { what: "half of the former rate", limitMs: 120_000, everyMs: 0 });
  return performance.now() - outageEndedAt;
};

/** Takes the target down under load: all events must wait, and no event may move to a retry topic. */
export const benchOutage: Bench = async (context) => {
  const { sink, args } = context;
  const { events = 200_000 } = args;
  const topic = await openTopic(context, args.partitions);
  await topic.send(userEvents({ users: args.users, count: events }));
  await topic.close();
  await sink.reset({ kind: "latency", ms: latencyMs });
  const service = await startService(context, { topic: topic.name, group: topic.name, connections });
  try {
    await waitUntil(async () => (await sink.stats()).delivered > 0, { what: "the first event", limitMs: 60_000 });
    await pause(beforeMs);
    const formerRate = await rateOver(context, rateMs);
    const { rows, endedAt } = await measureOutage(context, service);
    const recovered = await recoveryMs(context, endedAt, formerRate);
    const isDone = async (): Promise<boolean> => (await sink.stats()).distinct >= events;
    await waitUntil(isDone, { what: `delivery of all ${events} events`, limitMs: 600_000 });
    const { duplicates, inversions } = await sink.stats();
    return [
      infoRow(`events/s before the outage (${args.outage}, ${args.outageMs / 1_000} s)`, formerRate),
      ...rows,
      atMostRow(10, "seconds from its end until half of that rate", recovered / 1_000),
      atMostRow(0, "records in retry and dead-letter topics", await retryAndDeadRecords(context, topic.name)),
      // The sink accepts calls in flight, but their responses are lost when the connections break.
      atMostRow(args.outage === "refuse" ? connections : 0, "duplicates", duplicates),
      atMostRow(0, "inversions", inversions),
    ];
  } finally {
    await service.stop();
  }
};
