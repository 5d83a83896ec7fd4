import { freePorts } from "../local/ports.ts";
import type { BenchArgs } from "./args.ts";
import type { BenchContext } from "./bench.ts";
import { type Measurement, measure } from "./measure.ts";
import { startProgram } from "./process.ts";
import { startService } from "./service.ts";
import { type Sink, measureSink } from "./sink.ts";
import { openTopic, userEvents } from "./topic.ts";

interface Case {
  readonly name: string;
  readonly latencyMs: number;
  readonly connections: number;
  readonly program: "gainstream" | "plain";
  /** Another build of gainstream. */
  readonly main?: string;
  /** The part of the events that it does: a slow one would take minutes for all. */
  readonly part?: number;
  readonly wanted?: { readonly eventsPerSecond: number; readonly cpuMicros: number; readonly peakMegabytes: number };
}

const cases: readonly Case[] = [
  {
    name: "gainstream, 0 ms, 64 connections",
    latencyMs: 0,
    connections: 64,
    program: "gainstream",
    wanted: { eventsPerSecond: 28_000, cpuMicros: 38, peakMegabytes: 200 },
  },
  { name: "gainstream, 20 ms, 64 connections", latencyMs: 20, connections: 64, program: "gainstream", part: 0.25 },
  {
    name: "gainstream, 20 ms, 256 connections",
    latencyMs: 20,
    connections: 256,
    program: "gainstream",
    wanted: { eventsPerSecond: 10_900, cpuMicros: 60, peakMegabytes: 200 },
  },
  { name: "plain eachMessage, 0 ms", latencyMs: 0, connections: 6, program: "plain" },
  { name: "plain eachMessage, 20 ms", latencyMs: 20, connections: 6, program: "plain", part: 0.01 },
];

/** A foreign sink answers as fast as it likes: only the connections differ. */
const foreignCases: readonly Case[] = [
  { name: "gainstream, 64 connections", latencyMs: 0, connections: 64, program: "gainstream" },
  { name: "gainstream, 256 connections", latencyMs: 0, connections: 256, program: "gainstream" },
  { name: "plain eachMessage", latencyMs: 0, connections: 6, program: "plain" },
];

interface Run {
  readonly stage: BenchContext<Sink>;
  readonly topic: string;
  readonly events: number;
}

const startPlain = async (
  { brokers, registryUrl, sink }: BenchContext<Sink>,
  place: { topic: string; group: string },
) => {
  const [port = 0] = await freePorts(1);
  const program = startProgram(["bench/plain.ts"], {
    BENCH_PORT: String(port),
    BENCH_TOPIC: place.topic,
    BENCH_GROUP: place.group,
    BENCH_BROKERS: brokers,
    BENCH_REGISTRY: registryUrl,
    BENCH_URL: sink.url,
  });
  const status = (): Promise<{ totals: { delivered: number } } | undefined> =>
    fetch(`http://127.0.0.1:${port}/`).then(
      (answer) => answer.json() as Promise<{ totals: { delivered: number } }>,
      () => undefined,
    );
  return { ...program, status };
};

/** One case of its own group, so that each reads the whole topic. */
const runCase = async ({ stage, topic, events }: Run, one: Case): Promise<Measurement> => {
  const { latencyMs, connections, program, main, part = 1 } = one;
  const group = `bench-${Date.now().toString(36)}`;
  await stage.sink.reset(...(latencyMs > 0 ? [{ kind: "latency", ms: latencyMs } as const] : []));
  const started =
    program === "plain"
      ? await startPlain(stage, { topic, group })
      : await startService(stage, { topic, group, connections, main });
  const done = async (): Promise<number> =>
    (await stage.sink.stats())?.delivered ?? (await started.status())?.totals.delivered ?? 0;
  try {
    return await measure({
      pid: started.pid,
      events: Math.ceil(part * events),
      sink: stage.sink,
      done,
      limitMs: 180_000,
    });
  } finally {
    await started.stop();
  }
};

/** Broker and sink compile their ways in the first seconds, on the cores that are measured: the first case would pay for all. */
const warmUp = async (run: Run): Promise<void> => {
  await runCase(run, { name: "warm-up", latencyMs: 0, connections: 64, program: "gainstream" });
};

const isGood = ({ eventsPerSecond, cpuMicrosPerEvent, peakMegabytes }: Measurement, wanted: Case["wanted"]): boolean =>
  wanted === undefined ||
  (eventsPerSecond >= wanted.eventsPerSecond &&
    cpuMicrosPerEvent <= wanted.cpuMicros &&
    peakMegabytes <= wanted.peakMegabytes);

const row = ({ name, wanted }: Case, measured: Measurement) => ({
  case: name,
  "events/s": Math.round(measured.eventsPerSecond),
  "CPU µs/event": Number(measured.cpuMicrosPerEvent.toFixed(1)),
  "peak MB": measured.peakMegabytes,
  duplicates: measured.duplicates ?? "not counted",
  inversions: measured.inversions ?? "not counted",
  wanted: wanted ? `≥ ${wanted.eventsPerSecond}/s, ≤ ${wanted.cpuMicros} µs, ≤ ${wanted.peakMegabytes} MB` : "",
  verdict: wanted && (isGood(measured, wanted) ? "ok" : "missed"),
});

const casesFor = ({ url, only, beside }: BenchArgs): readonly Case[] => {
  const chosen = (url === undefined ? cases : foreignCases).filter(({ name }) => name.includes(only));
  if (beside === undefined) return chosen;
  return chosen.flatMap((one) =>
    one.program === "plain" ? [one] : [one, { ...one, name: `${one.name}, beside`, main: beside }],
  );
};

const medianOf = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

const medianRow = ({ name }: Case, rounds: readonly Measurement[]) => ({
  "median of": `${rounds.length} × ${name}`,
  "events/s": Math.round(medianOf(rounds.map(({ eventsPerSecond }) => eventsPerSecond))),
  "CPU µs/event": Number(medianOf(rounds.map(({ cpuMicrosPerEvent }) => cpuMicrosPerEvent)).toFixed(1)),
  "peak MB": medianOf(rounds.map((measured) => measured.peakMegabytes)),
});

/** Prints how fast the service is, beside a plain kafkajs loop on the same topic. The sink is measured alone first. */
export const benchSpeed = async (stage: BenchContext<Sink>): Promise<void> => {
  const { sink, args } = stage;
  const { events = 200_000, partitions, users, repeat } = args;
  const alone = await measureSink(sink, { calls: 100_000, connections: 64 });
  const cpu = Number.isNaN(alone.cpuMicrosPerCall) ? "" : `, ${alone.cpuMicrosPerCall.toFixed(1)} µs CPU each`;
  console.log(`The sink alone takes ${Math.round(alone.callsPerSecond)} calls/s from 64 connections${cpu}`);
  const topic = await openTopic(stage, partitions);
  const bytes = await topic.send(userEvents({ users, count: events }));
  await topic.close();
  console.log(`${events} events of ${Math.round(bytes / events)} bytes in ${partitions} partitions`);
  const run = { stage, topic: topic.name, events };
  await warmUp(run);
  const rounds = casesFor(args).map((one) => ({ one, measured: [] as Measurement[] }));
  for (let round = 0; round < repeat; round++) {
    for (const { one, measured } of rounds) measured.push(await runCase(run, one));
    console.table(rounds.flatMap(({ one, measured }) => measured.slice(-1).map((last) => row(one, last))));
  }
  if (repeat > 1) console.table(rounds.map(({ one, measured }) => medianRow(one, measured)));
};
