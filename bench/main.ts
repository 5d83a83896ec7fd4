import { parseArgs } from "node:util";

import { useOrStartCluster } from "../local/cluster.ts";
import { freePorts } from "../local/ports.ts";
import { createKafka } from "../src/kafka/client.ts";
import { benchDecode } from "./decode.ts";
import { type Measured, measure } from "./measure.ts";
import { start } from "./process.ts";
import { produce } from "./produce.ts";
import { type Sink, accessKey, measureSink, openSink } from "./sink.ts";

const usage = `Usage: npm run bench -- [--events 100000] [--partitions 6] [--users 10000] [--url <sink>] [--repeat 1] [--only <words of a case>]

Produces Avro events, runs the service against the stand-in (or the sink at --url) and prints events/s, CPU per event,
peak memory, duplicates and inversions; beside it a plain kafkajs loop on the same topic. The sink is measured alone first.

       npm run bench -- decode   what decoding one event costs`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    events: { type: "string", default: "100000" },
    partitions: { type: "string", default: "6" },
    users: { type: "string", default: "10000" },
    url: { type: "string" },
    repeat: { type: "string", default: "1" },
    only: { type: "string", default: "" },
    help: { type: "boolean", default: false },
  },
});

interface Bench {
  readonly brokers: string;
  readonly registryUrl: string;
  readonly topic: string;
  readonly events: number;
  readonly sink: Sink;
}

interface Case {
  readonly name: string;
  readonly latencyMs: number;
  readonly connections: number;
  readonly program: "gainstream" | "plain";
}

const cases: readonly Case[] = [
  { name: "gainstream, 0 ms, 64 connections", latencyMs: 0, connections: 64, program: "gainstream" },
  { name: "gainstream, 20 ms, 64 connections", latencyMs: 20, connections: 64, program: "gainstream" },
  { name: "gainstream, 20 ms, 256 connections", latencyMs: 20, connections: 256, program: "gainstream" },
  { name: "plain eachMessage, 0 ms", latencyMs: 0, connections: 6, program: "plain" },
  { name: "plain eachMessage, 20 ms", latencyMs: 20, connections: 6, program: "plain" },
];

/** A foreign sink answers as fast as it likes: only the connections differ. */
const foreignCases: readonly Case[] = [
  { name: "gainstream, 64 connections", latencyMs: 0, connections: 64, program: "gainstream" },
  { name: "gainstream, 256 connections", latencyMs: 0, connections: 256, program: "gainstream" },
  { name: "plain eachMessage", latencyMs: 0, connections: 6, program: "plain" },
];

const metricDelivered = async (port: number): Promise<number> => {
  const page = await fetch(`http://127.0.0.1:${port}/api/status`).then(
    (answer) => answer.json() as Promise<{ totals: { delivered: number } }>,
    () => undefined,
  );
  return page?.totals.delivered ?? 0;
};

const serviceEnvironment = (bench: Bench, { connections }: Case, place: { group: string; port: number }) => ({
  KAFKA_BROKERS: bench.brokers,
  SCHEMA_REGISTRY_URL: bench.registryUrl,
  KAFKA_GROUP_ID: place.group,
  SOURCE_TOPICS: bench.topic,
  RETRY_TOPIC: `${bench.topic}-retry`,
  DEAD_LETTER_TOPIC: `${bench.topic}-dlq`,
  GAINSIGHT_URL: bench.sink.url,
  GAINSIGHT_ACCESS_KEY: accessKey,
  GAINSIGHT_CONCURRENCY: String(connections),
  HTTP_HOST: "127.0.0.1",
  HTTP_PORT: String(place.port),
  LOG_LEVEL: "warn",
});

const plainEnvironment = (bench: Bench, { group, port }: { group: string; port: number }) => ({
  BENCH_PORT: String(port),
  BENCH_TOPIC: bench.topic,
  BENCH_GROUP: group,
  BENCH_BROKERS: bench.brokers,
  BENCH_REGISTRY: bench.registryUrl,
  BENCH_URL: bench.sink.url,
});

/** One case of its own group, so that each reads the whole topic. A slow case does a part of the events only. */
const runCase = async (bench: Bench, one: Case): Promise<Measured> => {
  const group = `bench-${Date.now().toString(36)}`;
  const [port = 0] = await freePorts(1);
  const isPlain = one.program === "plain";
  const events = isPlain && one.latencyMs > 0 ? Math.min(2_000, bench.events) : bench.events;
  await bench.sink.reset(one.latencyMs);
  const program = isPlain
    ? start(["bench/plain.ts"], plainEnvironment(bench, { group, port }))
    : start(
        ["--max-semi-space-size=8", "--heap-growing-percent=200", "dist/main.js", "run"],
        serviceEnvironment(bench, one, { group, port }),
      );
  const done = async (): Promise<number> => (await bench.sink.stats())?.delivered ?? metricDelivered(port);
  const onProgress = (count: number): void => {
    if (process.stderr.isTTY) process.stderr.write(`\r${one.name}: ${count} of ${events} `);
  };
  try {
    return await measure({ pid: program.pid, events, sink: bench.sink, done, limitMs: 180_000, onProgress });
  } finally {
    if (process.stderr.isTTY) process.stderr.write("\r\x1b[K");
    await program.stop();
  }
};

const countOf = (name: string, given: string): number => {
  const count = Number(given);
  if (Number.isSafeInteger(count) && count > 0) return count;
  throw new Error(`Cannot use ${name}: got '${given}', want a whole number from 1`);
};

const row = (name: string, measured: Measured) => ({
  case: name,
  "events/s": Math.round(measured.eventsPerSecond),
  "CPU µs/event": Number(measured.cpuMicrosPerEvent.toFixed(1)),
  "peak MB": measured.peakMegabytes,
  duplicates: measured.duplicates ?? "not counted",
  inversions: measured.inversions ?? "not counted",
});

const main = async (): Promise<void> => {
  if (values.help) return console.log(usage);
  if (positionals.includes("decode")) return benchDecode();
  const events = countOf("--events", values.events);
  const partitions = countOf("--partitions", values.partitions);
  const users = countOf("--users", values.users);
  const rounds = countOf("--repeat", values.repeat);
  const cluster = await useOrStartCluster();
  const sink = await openSink(values.url);
  try {
    const alone = await measureSink(sink, { calls: 100_000, connections: 64 });
    console.log(`The sink alone takes ${Math.round(alone)} calls/s from 64 connections`);
    const topic = `bench-${Date.now().toString(36)}`;
    const kafka = createKafka({ brokers: cluster.brokers.split(","), clientId: "bench", logLevel: 1 });
    const bytes = await produce({
      kafka,
      registryUrl: cluster.registryUrl,
      topic,
      partitions,
      events,
      users,
    });
    console.log(`${events} events of ${Math.round(bytes / events)} bytes in ${partitions} partitions`);
    const bench = { ...cluster, topic, events, sink };
    const chosen = (values.url === undefined ? cases : foreignCases).filter(({ name }) => name.includes(values.only));
    for (let round = 0; round < rounds; round++) {
      const rows = [];
      for (const one of chosen) rows.push(row(one.name, await runCase(bench, one)));
      console.table(rows);
    }
  } finally {
    await sink.stop();
    await cluster.stop();
  }
};

try {
  await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
