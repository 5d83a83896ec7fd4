import { parseArgs } from "node:util";

export const usage = `Usage: npm run bench -- [<benchmark> …] [--repeat 1] [--events <n>] [--main dist/main.js]

  speed       events/s, CPU, memory, duplicates and inversions, compared with a plain kafkajs loop (the default)
              [--partitions 6] [--users 10000] [--only <part of a case's name>] [--url <sink>]
              [--beside <dist/main.js of another build>] runs both builds by turns; --repeat 5 prints medians
  partition   one partition with 10,000 records; each call takes 0 to 5 ms
  scale       four instances, compared with one
  failing     1 % of the users fail permanently, compared with none
  hot         one user has half of all events, compared with none
  outage      the target is down while 200,000 events wait [--outage-seconds 120] [--outage refuse|503]
  idle        CPU of a service that has nothing to do
  decode      CPU to decode one event, and to decompress its batch with each codec
  parked      memory that records in the retry topics use

Each benchmark starts the service as separate processes and delivers to the stand-in (or, for speed, to the sink at --url).
It uses the cluster that KAFKA_BROKERS and SCHEMA_REGISTRY_URL name, or starts one. It prints each result with its target.`;

const options = {
  events: { type: "string" },
  partitions: { type: "string", default: "6" },
  users: { type: "string", default: "10000" },
  repeat: { type: "string", default: "1" },
  "outage-seconds": { type: "string", default: "120" },
  outage: { type: "string", default: "refuse" },
  url: { type: "string" },
  only: { type: "string", default: "" },
  main: { type: "string", default: "dist/main.js" },
  beside: { type: "string" },
  help: { type: "boolean", default: false },
} as const;

export type OutageMode = "refuse" | "503";

export interface BenchArgs {
  readonly what: readonly string[];
  /** The number of events; undefined for the benchmark's default. */
  readonly events: number | undefined;
  readonly partitions: number;
  readonly users: number;
  readonly repeat: number;
  readonly outageMs: number;
  readonly outage: OutageMode;
  /** The address of a sink that is not our stand-in. */
  readonly url: string | undefined;
  readonly only: string;
  /** The built program to measure, such as dist/main.js. */
  readonly main: string;
  /** Another build, measured by turns with it. */
  readonly beside: string | undefined;
  readonly help: boolean;
}

const countOf = (name: string, value: string): number => {
  const count = Number(value);
  if (Number.isSafeInteger(count) && count > 0) return count;
  throw new Error(`Cannot use --${name}: got '${value}', want a whole number from 1`);
};

const outageOf = (value: string): OutageMode => {
  if (value === "refuse" || value === "503") return value;
  throw new Error(`Cannot use --outage: got '${value}', want refuse or 503`);
};

/** Parses the command line. Throws a sentence if it is wrong. */
export const readArgs = (): BenchArgs => {
  const { values, positionals } = parseArgs({ allowPositionals: true, options });
  const { events, url, only, main, beside, help } = values;
  return {
    what: positionals.length > 0 ? positionals : ["speed"],
    events: events === undefined ? undefined : countOf("events", events),
    partitions: countOf("partitions", values.partitions),
    users: countOf("users", values.users),
    repeat: countOf("repeat", values.repeat),
    outageMs: countOf("outage-seconds", values["outage-seconds"]) * 1_000,
    outage: outageOf(values.outage),
    url,
    only,
    main,
    beside,
    help,
  };
};
