import { Counter, Histogram, Registry, collectDefaultMetrics } from "prom-client";

import type { ComputationClass } from "../core/event/engage.ts";
import type { SegmentEvent } from "../core/event/event.ts";
import type { Repair } from "../core/event/repairs.ts";
import type { DeadReason, Outcome, SkipReason } from "../core/outcome/outcome.ts";
import type { CodeFamily } from "../core/outcome/result-false.ts";
import { quiet, registerGauges } from "./gauges.ts";
import type { Snapshot } from "./gauges.ts";
import { createTally } from "./labelled-counter.ts";
import type { Tally } from "./labelled-counter.ts";
import { help } from "./metric-help.ts";
import type { MetricName } from "./metric-help.ts";

/** An event at its final outcome; a retry is none. */
interface FinalEvent {
  readonly type: SegmentEvent["type"] | "unknown";
  readonly outcome: FinalOutcome;
  /** Absent for `delivered`. */
  readonly reason?: SkipReason | DeadReason;
  /** What Segment's Engage computed, where it made the event. */
  readonly computationClass?: ComputationClass | undefined;
  /** From the event's arrival in Kafka to its outcome. */
  readonly endToEndMs?: number;
  /** Absent: nothing was repaired. */
  readonly repairs?: readonly Repair[];
}

type FinalOutcome = Exclude<Outcome["kind"], "retry">;

interface Call {
  /** The kind of call, such as `identify`: a small fixed set. */
  readonly call: string;
  /** The HTTP status, `timeout` or `network`. */
  readonly status: string;
  readonly seconds: number;
}

export interface Metrics {
  readonly event: (event: FinalEvent) => void;
  /** A record has been moved to a retry tier. */
  readonly retry: (reason: string) => void;
  readonly call: (call: Call) => void;
  /** A 2xx whose body says `result: false`. */
  readonly resultFalse: (code: CodeFamily) => void;
  /** An attempt to write to this topic has failed. */
  readonly writeFailed: (topic: string) => void;
  /** A partition of this topic does not go on where it was. */
  readonly logReset: (topic: string) => void;
  /** Offsets of this topic were skipped because nobody could read them. */
  readonly offsetsSkipped: (topic: string, offsets: number) => void;
  /** Says where the gauges get their values; before it they show a quiet stream. */
  readonly observe: (snapshot: () => Snapshot) => void;
  /** Events so far by outcome, for the status page. */
  readonly totals: () => Record<FinalOutcome, number>;
  /** Events that came to an outcome and records that were moved to a tier so far: grows as long as anything moves. */
  readonly moves: () => number;
  /** The page for Prometheus. */
  readonly text: () => Promise<string>;
  readonly contentType: string;
}

const callBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25];
const endToEndBuckets = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300, 1800, 14_400];

/** All metrics of one process in a registry of their own. Counting is cheap; the work is done when Prometheus asks. */
export const createMetrics = (): Metrics => {
  const registry = createRegistry();
  const events = registerTally(registry, "gainstream_events_total", ["type", "outcome", "reason"]);
  const repaired = registerTally(registry, "gainstream_repairs_total", ["repair"]);
  const retries = registerTally(registry, "gainstream_retries_total", ["reason"]);
  const calls = registerTally(registry, "gainstream_calls_total", ["call", "status"]);
  const resultsFalse = registerTally(registry, "gainstream_result_false_total", ["code"]);
  const computations = registerTally(registry, "gainstream_computations_total", ["computation_class", "outcome"]);
  const writeFailures = registerTally(registry, "gainstream_kafka_write_failures_total", ["topic"]);
  const resets = registerTally(registry, "gainstream_log_resets_total", ["topic"]);
  const skipped = registerCounter(registry, "gainstream_offsets_skipped_total", ["topic"]);
  let snapshot = (): Snapshot => quiet;

  const delivery = createHistogram(registry, { name: "gainstream_delivery_seconds", buckets: callBuckets });
  const endToEnd = createHistogram(registry, { name: "gainstream_end_to_end_seconds", buckets: endToEndBuckets });
  registerGauges(registry, () => snapshot());

  return {
    event: ({ type, outcome, reason, computationClass, endToEndMs, repairs = [] }) => {
      events.count(type, outcome, reason);
      for (const repair of repairs) repaired.count(repair);
      if (computationClass !== undefined) computations.count(computationClass, outcome);
      // prom-client throws on NaN, and the clocks of two machines may differ.
      if (Number.isFinite(endToEndMs)) endToEnd.observe(Math.max(0, Number(endToEndMs)) / 1000);
    },
    retry: (reason) => retries.count(reason),
    call: ({ call, status, seconds }) => {
      calls.count(call, status);
      delivery.observe(seconds);
    },
    resultFalse: (code) => resultsFalse.count(code),
    writeFailed: (topic) => writeFailures.count(topic),
    logReset: (topic) => resets.count(topic),
    offsetsSkipped: (topic, offsets) => skipped.inc({ topic }, offsets),
    observe: (source) => {
      snapshot = source;
    },
    totals: () => totalsOf(events),
    moves: () => sumOf(events) + sumOf(retries),
    text: () => registry.metrics(),
    contentType: registry.contentType,
  };
};

const createRegistry = (): Registry => {
  const registry = new Registry();
  // The default of 10 ms wakes an idle process a hundred times a second.
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: 50 });
  return registry;
};

const totalsOf = (events: Tally): Record<FinalOutcome, number> => {
  const totals = { delivered: 0, skipped: 0, dead: 0 };
  for (const { labels, count } of events.entries()) {
    const [, outcome] = labels;
    if (outcome === "delivered" || outcome === "skipped" || outcome === "dead") totals[outcome] += count;
  }
  return totals;
};

const sumOf = (tally: Tally): number => {
  let sum = 0;
  for (const { count } of tally.entries()) sum += count;
  return sum;
};

const registerCounter = (registry: Registry, name: MetricName, labelNames: readonly string[]): Counter =>
  new Counter({ name, help: help[name], labelNames, registers: [registry] });

/** A counter whose counting is done in a tally. */
const registerTally = (registry: Registry, name: MetricName, labelNames: readonly string[]): Tally => {
  const tally = createTally();
  const counter = new Counter({
    name,
    help: help[name],
    labelNames,
    registers: [registry],
    collect: () => {
      counter.reset();
      for (const { labels, count } of tally.entries()) {
        counter.inc(Object.fromEntries(labelNames.map((label, index) => [label, labels[index] ?? ""])), count);
      }
    },
  });
  return tally;
};

interface HistogramOptions {
  readonly name: MetricName;
  readonly buckets: number[];
}

const createHistogram = (registry: Registry, { name, buckets }: HistogramOptions): Histogram =>
  new Histogram({ name, help: help[name], buckets, registers: [registry] });
