import type { Kafka } from "kafkajs";

import type { BenchArgs } from "./args.ts";
import type { OwnSink, Sink } from "./sink.ts";

/** What every benchmark gets. */
export interface BenchContext<S extends Sink = OwnSink> {
  readonly args: BenchArgs;
  readonly brokers: string;
  readonly registryUrl: string;
  readonly kafka: Kafka;
  readonly sink: S;
}

/** A line of the result table: the measured number and, if there is one, its target. */
export interface Row {
  readonly measured: string;
  readonly got: number;
  readonly wanted: string;
  readonly verdict: "" | "ok" | "missed";
}

/** A benchmark that needs our own stand-in. */
export type Bench = (context: BenchContext) => Promise<readonly Row[]>;

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
