import type { Kafka } from "kafkajs";

import type { BenchArgs } from "./args.ts";
import type { OwnSink, Sink } from "./sink.ts";

/** What every benchmark stands on. */
export interface BenchContext<S extends Sink = OwnSink> {
  readonly args: BenchArgs;
  readonly brokers: string;
  readonly registryUrl: string;
  readonly kafka: Kafka;
  readonly sink: S;
}

/** One line of a table: a number got, beside the number wanted where there is one. */
export interface Row {
  readonly measured: string;
  readonly got: number;
  readonly wanted: string;
  readonly verdict: "" | "ok" | "missed";
}

/** A benchmark that our own stand-in is needed for. */
export type Bench = (stage: BenchContext) => Promise<readonly Row[]>;

const rounded = (value: number): number => Number(value.toPrecision(value >= 1_000 ? 5 : 3));

export const infoRow = (measured: string, got: number): Row => ({
  measured,
  got: rounded(got),
  wanted: "",
  verdict: "",
});

export const atMostRow = (limit: number, measured: string, got: number): Row => ({
  measured,
  got: rounded(got),
  wanted: `≤ ${limit}`,
  verdict: got <= limit ? "ok" : "missed",
});

export const atLeastRow = (limit: number, measured: string, got: number): Row => ({
  measured,
  got: rounded(got),
  wanted: `≥ ${limit}`,
  verdict: got >= limit ? "ok" : "missed",
});
