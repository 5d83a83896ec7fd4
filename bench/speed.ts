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
  /** Another build of gainstream to run. */
  readonly main?: string;
  /** The share of the events to deliver: a slow case would take minutes for all. */
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

/** The latency of another server is not ours to set: only the connections differ. */
const foreignCases: readonly Case[] = [
  { name: "gainstream, 64 connections", latencyMs: 0, connections: 64, program: "gainstream" },
  { name: "gainstream, 256 connections", latencyMs: 0, connections: 256, program: "gainstream" },
  { name: "plain eachMessage", latencyMs: 0, connections: 6, program: "plain" },
];

interface Run {
  readonly context: BenchContext<Sink>;
  readonly topic: string;
  readonly events: number;
}

const startPlain = async (
  { brokers, registryUrl, sink }: BenchContext<Sink>,
  options: { topic: string; group: string },
) => {
  const [port = 0] = await freePorts(1);
  const program = startProgram(["bench/plain.ts"], {
    BENCH_PORT: String(port),
    BENCH_TOPIC: options.topic,
    BENCH_GROUP: options.group,
    BENCH_BROKERS: brokers,
    BENCH_REGISTRY: registryUrl,
    BENCH_URL: sink.url,
  });
  const status = (): Promise<{ totals: { delivered: number } } | undefined> =>
    fetch(`http://127.0.0.1:${port}/`).then(
      (response) => response.json() as Promise<{ totals: { delivered: number } }>,
      () => undefined,
    );
  return { ...program, status };
};

/** Runs a case with a new group, so that each case reads the whole topic. */
const runCase = async ({ context, topic, events }: Run, benchCase: Case): Promise<Measurement> => {
  const { latencyMs, connections, program, main, part = 1 } = benchCase;
  const group = `bench-${Date.now().toString(36)}`;
  await context.sink.reset(...(latencyMs > 0 ? [{ kind: "latency", ms: latencyMs } as const] : []));
  const running =
    program === "plain"
      ? await startPlain(context, { topic, group })
      : await startService(context, { topic, group, connections, main });
  const done = async (): Promise<number> =>
    (await context.sink.stats())?.delivered ?? (await running.status())?.totals.delivered ?? 0;
  try {
    return await measure({
      pid: running.pid,
      events: Math.ceil(part * events),
      sink: context.sink,
      done,
      limitMs: 180_000,
    });
  } finally {
    await running.stop();
  }
};

/** Broker and sink compile their code in the first seconds, on the same cores: without a warm-up the first case would pay for that. */
const warmUp = async (run: Run): Promise<void> => {
  await runCase(run, { name: "warm-up", latencyMs: 0, connections: 64, program: "gainstream" });
};

const meetsTarget = (
  { eventsPerSecond, cpuMicrosPerEvent, peakMegabytes }: Measurement,
  wanted: Case["wanted"],
): boolean =>
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
  verdict: wanted && (meetsTarget(measured, wanted) ? "ok" : "missed"),
});

const casesFor = ({ url, only, beside }: BenchArgs): readonly Case[] => {
  const chosen = (url === undefined ? cases : foreignCases).filter(({ name }) => name.includes(only));
  if (beside === undefined) return chosen;
  return chosen.flatMap((benchCase) =>
    benchCase.program === "plain"
      ? [benchCase]
      : [benchCase, { ...benchCase, name: `${benchCase.name}, other build`, main: beside }],
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

/** Prints the speed of the service and of a plain kafkajs loop on the same topic. Measures the sink alone first. */
export const benchSpeed = async (context: BenchContext<Sink>): Promise<void> => {
  const { sink, args } = context;
  const { events = 200_000, partitions, users, repeat } = args;
  const alone = await measureSink(sink, { calls: 100_000, connections: 64 });
  const cpu = Number.isNaN(alone.cpuMicrosPerCall) ? "" : `, ${alone.cpuMicrosPerCall.toFixed(1)} µs CPU per call`;
  console.log(`The sink alone takes ${Math.round(alone.callsPerSecond)} calls/s on 64 connections${cpu}`);
  const topic = await openTopic(context, partitions);
  const bytes = await topic.send(userEvents({ users, count: events }));
  await topic.close();
  console.log(`${events} events of ${Math.round(bytes / events)} bytes in ${partitions} partitions`);
  const run = { context, topic: topic.name, events };
  await warmUp(run);
  const rounds = casesFor(args).map((benchCase) => ({ one: benchCase, measured: [] as Measurement[] }));
  for (let round = 0; round < repeat; round++) {
    // Each build goes first as often as second: what runs first is slower by several percent.
    const order = round % 2 === 0 ? rounds : rounds.toReversed();
    for (const { one: benchCase, measured } of order) measured.push(await runCase(run, benchCase));
    console.table(
      rounds.flatMap(({ one: benchCase, measured }) => measured.slice(-1).map((last) => row(benchCase, last))),
    );
  }
  if (repeat > 1) console.table(rounds.map(({ one: benchCase, measured }) => medianRow(benchCase, measured)));
};
