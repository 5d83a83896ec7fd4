import type { Kafka } from "kafkajs";

import type { Args } from "./args.ts";
import type { OwnSink, Sink } from "./sink.ts";

/** What every benchmark stands on. */
export interface Stage<S extends Sink = OwnSink> {
  readonly args: Args;
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
export type Bench = (stage: Stage) => Promise<readonly Row[]>;

const rounded = (value: number): number => Number(value.toPrecision(value >= 1_000 ? 5 : 3));

export const told = (measured: string, got: number): Row => ({ measured, got: rounded(got), wanted: "", verdict: "" });

export const atMost = (limit: number, measured: string, got: number): Row => ({
  measured,
  got: rounded(got),
  wanted: `≤ ${limit}`,
  verdict: got <= limit ? "ok" : "missed",
});

export const atLeast = (limit: number, measured: string, got: number): Row => ({
  measured,
  got: rounded(got),
  wanted: `≥ ${limit}`,
  verdict: got >= limit ? "ok" : "missed",
});
