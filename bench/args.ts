import { parseArgs } from "node:util";

export const usage = `Usage: npm run bench -- [<what> …] [--repeat 1] [--events <n>] [--main dist/main.js]

  speed       events/s, CPU, memory, duplicates and inversions, beside a plain kafkajs loop (the default)
              [--partitions 6] [--users 10000] [--only <words of a case>] [--url <sink>]
              [--beside <another build's dist/main.js>, by turns with this one; with --repeat 5 the medians tell]
  partition   one partition of 10,000 records, answers after 0 to 5 ms
  scale       four instances against one
  failing     1 % of the users failing for good against none
  hot         one user with half of all events against none
  outage      the target away for a while with 200,000 events waiting [--outage-seconds 120] [--outage refuse|503]
  idle        CPU of a service that has nothing to do
  decode      what decoding one event costs, and unpacking its batch with each codec
  parked      what records that wait in the retry topics cost in memory

Each runs the service in processes of its own against the stand-in (or, for speed, the sink at --url), on the cluster that
KAFKA_BROKERS and SCHEMA_REGISTRY_URL name or on one of its own, and prints what was got beside what is wanted.`;

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
  /** Undefined: as many as the benchmark takes by itself. */
  readonly events: number | undefined;
  readonly partitions: number;
  readonly users: number;
  readonly repeat: number;
  readonly outageMs: number;
  readonly outage: OutageMode;
  /** A foreign sink. */
  readonly url: string | undefined;
  readonly only: string;
  /** The built program to measure. */
  readonly main: string;
  /** Another one to measure by turns with it. */
  readonly beside: string | undefined;
  readonly help: boolean;
}

const countOf = (name: string, given: string): number => {
  const count = Number(given);
  if (Number.isSafeInteger(count) && count > 0) return count;
  throw new Error(`Cannot use --${name}: got '${given}', want a whole number from 1`);
};

const outageOf = (given: string): OutageMode => {
  if (given === "refuse" || given === "503") return given;
  throw new Error(`Cannot use --outage: got '${given}', want refuse or 503`);
};

/** Reads the command line. Throws a sentence where it is wrong. */
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
