import { freePorts } from "../local/ports.ts";
import type { BenchContext } from "./bench.ts";
import { type RunningProgram, heapEnvironment, heapFlags, startProgram } from "./process.ts";
import { accessKey, type Sink } from "./sink.ts";
import { waitUntil } from "./until.ts";

interface Status {
  readonly ready: boolean;
  readonly totals: { readonly delivered: number };
  readonly lag: readonly { readonly topic: string; readonly partition: number }[];
}

/** A running gainstream. */
export interface Service extends RunningProgram {
  /** Undefined while the service does not answer. */
  readonly status: () => Promise<Status | undefined>;
  /** Calls that the service has started, by its own metric, including those without a response. */
  readonly calls: () => Promise<number>;
  /** Resolves when the service owns this many partitions of the topic and has read their retry topics. */
  readonly untilReady: (partitions: number) => Promise<void>;
}

export interface ServiceOptions {
  readonly topic: string;
  /** Instances of one group share the topic. A new group starts at the beginning. */
  readonly group: string;
  readonly connections: number;
  /** The program to run, if not `args.main`. */
  readonly main?: string | undefined;
  readonly env?: Readonly<Record<string, string>>;
}

const environment = ({ brokers, registryUrl, sink }: BenchContext<Sink>, options: ServiceOptions) => ({
  ...heapEnvironment,
  KAFKA_BROKERS: brokers,
  SCHEMA_REGISTRY_URL: registryUrl,
  KAFKA_GROUP_ID: options.group,
  SOURCE_TOPICS: options.topic,
  RETRY_TOPIC: `${options.topic}-retry`,
  DEAD_LETTER_TOPIC: `${options.topic}-dlq`,
  GAINSIGHT_URL: sink.url,
  GAINSIGHT_ACCESS_KEY: accessKey,
  GAINSIGHT_CONCURRENCY: String(options.connections),
  HTTP_HOST: "127.0.0.1",
  LOG_LEVEL: "warn",
  ...options.env,
});

const callsOf = (metrics: string): number =>
  [...metrics.matchAll(/^gainstream_calls_total\{.*\} (\d+)$/gm)].reduce((sum, [, count]) => sum + Number(count), 0);

/** Starts an instance. It may take seconds to become ready: see `untilReady`. */
export const startService = async (context: BenchContext<Sink>, options: ServiceOptions): Promise<Service> => {
  const [port = 0] = await freePorts(1);
  const env = { ...environment(context, options), HTTP_PORT: String(port) };
  const program = startProgram([...heapFlags, options.main ?? context.args.main, "run"], env);
  const ask = (path: string): Promise<Response | undefined> =>
    fetch(`http://127.0.0.1:${port}${path}`).catch(() => undefined);
  const status = async (): Promise<Status | undefined> =>
    (await (await ask("/api/status"))?.json()) as Status | undefined;
  const isReady = async (partitions: number): Promise<boolean> => {
    const { ready = false, lag = [] } = (await status()) ?? {};
    return ready && lag.filter(({ topic }) => topic === options.topic).length === partitions;
  };
  return {
    ...program,
    status,
    calls: async () => callsOf((await (await ask("/metrics"))?.text()) ?? ""),
    untilReady: (partitions) =>
      waitUntil(() => isReady(partitions), { what: `the service with ${partitions} partitions`, limitMs: 60_000 }),
  };
};
