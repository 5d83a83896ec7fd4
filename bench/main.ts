import { useOrStartCluster } from "../local/cluster.ts";
import { createKafka } from "../src/kafka/client.ts";
import { type BenchArgs, readArgs, usage } from "./args.ts";
import type { Bench, BenchContext } from "./bench.ts";
import { benchDecode } from "./decode.ts";
import { benchFailing } from "./failing.ts";
import { benchHot } from "./hot.ts";
import { benchIdle } from "./idle.ts";
import { benchOutage } from "./outage.ts";
import { benchParked } from "./parked.ts";
import { benchPartition } from "./partition.ts";
import { benchScale } from "./scale.ts";
import { type OwnSink, type Sink, foreignSink, openSink } from "./sink.ts";
import { benchSpeed } from "./speed.ts";

const benches: Readonly<Record<string, Bench>> = {
  partition: benchPartition,
  scale: benchScale,
  failing: benchFailing,
  hot: benchHot,
  outage: benchOutage,
  idle: benchIdle,
};

type RunBench = (args: BenchArgs) => Promise<void>;

/** Opens the cluster and the sink, runs the benchmark, and always closes them. */
const withContext = async <S extends Sink>(
  args: BenchArgs,
  open: (args: BenchArgs) => S | Promise<S>,
  run: (context: BenchContext<S>) => Promise<void>,
): Promise<void> => {
  const cluster = await useOrStartCluster();
  const { brokers, registryUrl } = cluster;
  const sink = await open(args);
  const kafka = createKafka({ brokers: brokers.split(","), clientId: "bench", logLevel: 1 });
  try {
    await run({ args, brokers, registryUrl, kafka, sink });
  } finally {
    await sink.stop();
    await cluster.stop();
  }
};

const openOwn = ({ main }: BenchArgs): Promise<OwnSink> => openSink(main);

const openAny = ({ main, url }: BenchArgs): Sink | Promise<Sink> =>
  url === undefined ? openSink(main) : foreignSink(url);

const repeatBench =
  (what: string, bench: Bench): RunBench =>
  async (args) => {
    if (args.url !== undefined)
      throw new Error(`Cannot use --url with ${what}: this benchmark needs the faults of the stand-in`);
    await withContext(args, openOwn, async (context) => {
      for (let round = 0; round < args.repeat; round++) {
        const rows = await bench(context);
        console.log(what);
        console.table(rows);
      }
    });
  };

const runnerFor = (what: string): RunBench => {
  if (what === "decode") return benchDecode;
  if (what === "parked") return async () => benchParked();
  if (what === "speed") return (args) => withContext(args, openAny, benchSpeed);
  const bench = benches[what];
  if (bench) return repeatBench(what, bench);
  throw new Error(
    `Cannot run the benchmark '${what}': want speed, ${Object.keys(benches).join(", ")}, decode or parked`,
  );
};

try {
  const args = readArgs();
  if (args.help) console.log(usage);
  else for (const runBench of args.what.map(runnerFor)) await runBench(args);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
