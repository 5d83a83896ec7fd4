import { Counter, Histogram, Registry, collectDefaultMetrics } from "prom-client";

import type { DecidedEvent } from "../core/decide.ts";
import type { ComputationClass } from "../core/event/engage.ts";
import type { Repair } from "../core/event/repairs.ts";
import type { DeadReason, Outcome, SkipReason } from "../core/outcome/outcome.ts";
import type { CodeFamily } from "../core/outcome/result-false.ts";
import { emptySnapshot, registerGauges } from "./gauges.ts";
import type { MetricsSnapshot } from "./gauges.ts";
import { createLabelledCounter } from "./labelled-counter.ts";
import type { LabelledCounter } from "./labelled-counter.ts";
import { metricHelp } from "./metric-help.ts";
import type { MetricName } from "./metric-help.ts";

/** An event at its final outcome; a retry is none. */
interface FinalEvent {
  readonly type: DecidedEvent["type"];
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

interface CallSample {
  /** The kind of call, such as `identify`: a small fixed set. */
  readonly call: string;
  /** The HTTP status, `timeout` or `network`. */
  readonly status: string;
  readonly seconds: number;
}

export interface Metrics {
  readonly recordEvent: (event: FinalEvent) => void;
  /** A record has been moved to a retry tier. */
  readonly recordRetry: (reason: string) => void;
  readonly recordCall: (call: CallSample) => void;
  /** A 2xx whose body says `result: false`. */
  readonly recordResultFalse: (code: CodeFamily) => void;
  /** An attempt to write to this topic has failed. */
  readonly recordWriteFailure: (topic: string) => void;
  /** A partition of this topic does not go on where it was. */
  readonly recordLogReset: (topic: string) => void;
  /** Offsets of this topic were skipped because nobody could read them. */
  readonly recordSkippedOffsets: (topic: string, offsets: number) => void;
  /** Says where the gauges get their values; before it they show a quiet stream. */
  readonly setSnapshotSource: (snapshot: () => MetricsSnapshot) => void;
  /** Events so far by outcome, for the status page. */
  readonly totals: () => Record<FinalOutcome, number>;
  /** Events that came to an outcome and records that were moved to a tier so far: grows as long as anything moves. */
  readonly progressCount: () => number;
  /** The page for Prometheus. */
  readonly text: () => Promise<string>;
  readonly contentType: string;
}

const callBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25];
const endToEndBuckets = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300, 1800, 14_400];

/** All metrics of one process in a registry of their own. Counting is cheap; the work is done when Prometheus asks. */
export const createMetrics = (): Metrics => {
  const registry = createRegistry();
  const events = registerLabelledCounter(registry, "gainstream_events_total", ["type", "outcome", "reason"]);
  const repaired = registerLabelledCounter(registry, "gainstream_repairs_total", ["repair"]);
  const retries = registerLabelledCounter(registry, "gainstream_retries_total", ["reason"]);
  const calls = registerLabelledCounter(registry, "gainstream_calls_total", ["call", "status"]);
  const resultsFalse = registerLabelledCounter(registry, "gainstream_result_false_total", ["code"]);
  const computations = registerLabelledCounter(registry, "gainstream_computations_total", [
    "computation_class",
    "outcome",
  ]);
  const writeFailures = registerLabelledCounter(registry, "gainstream_kafka_write_failures_total", ["topic"]);
  const logResets = registerLabelledCounter(registry, "gainstream_log_resets_total", ["topic"]);
  const skippedOffsets = registerCounter(registry, "gainstream_offsets_skipped_total", ["topic"]);
  let snapshot = (): MetricsSnapshot => emptySnapshot;

  const delivery = createHistogram(registry, { name: "gainstream_delivery_seconds", buckets: callBuckets });
  const endToEnd = createHistogram(registry, { name: "gainstream_end_to_end_seconds", buckets: endToEndBuckets });
  registerGauges(registry, () => snapshot());

  return {
    recordEvent: ({ type, outcome, reason, computationClass, endToEndMs, repairs = [] }) => {
      events.increment(type, outcome, reason);
      for (const repair of repairs) repaired.increment(repair);
      if (computationClass !== undefined) computations.increment(computationClass, outcome);
      // prom-client throws on NaN, and the clocks of two machines may differ.
      if (Number.isFinite(endToEndMs)) endToEnd.observe(Math.max(0, Number(endToEndMs)) / 1000);
    },
    recordRetry: (reason) => retries.increment(reason),
    recordCall: ({ call, status, seconds }) => {
      calls.increment(call, status);
      delivery.observe(seconds);
    },
    recordResultFalse: (code) => resultsFalse.increment(code),
    recordWriteFailure: (topic) => writeFailures.increment(topic),
    recordLogReset: (topic) => logResets.increment(topic),
    recordSkippedOffsets: (topic, offsets) => skippedOffsets.inc({ topic }, offsets),
    setSnapshotSource: (source) => {
      snapshot = source;
    },
    totals: () => totalsOf(events),
    progressCount: () => totalOf(events) + totalOf(retries),
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

const totalsOf = (events: LabelledCounter): Record<FinalOutcome, number> => {
  const totals = { delivered: 0, skipped: 0, dead: 0 };
  for (const { labels, count } of events.entries()) {
    const [, outcome] = labels;
    if (outcome === "delivered" || outcome === "skipped" || outcome === "dead") totals[outcome] += count;
  }
  return totals;
};

const totalOf = (counts: LabelledCounter): number => {
  let sum = 0;
  for (const { count } of counts.entries()) sum += count;
  return sum;
};

const registerCounter = (registry: Registry, name: MetricName, labelNames: readonly string[]): Counter =>
  new Counter({ name, help: metricHelp[name], labelNames, registers: [registry] });

/** A counter whose counting is done in a tally. */
const registerLabelledCounter = (
  registry: Registry,
  name: MetricName,
  labelNames: readonly string[],
): LabelledCounter => {
  const counts = createLabelledCounter();
  const counter = new Counter({
    name,
    help: metricHelp[name],
    labelNames,
    registers: [registry],
    collect: () => {
      counter.reset();
      for (const { labels, count } of counts.entries()) {
        counter.inc(Object.fromEntries(labelNames.map((label, index) => [label, labels[index] ?? ""])), count);
      }
    },
  });
  return counts;
};

interface HistogramOptions {
  readonly name: MetricName;
  readonly buckets: number[];
}

const createHistogram = (registry: Registry, { name, buckets }: HistogramOptions): Histogram =>
  new Histogram({ name, help: metricHelp[name], buckets, registers: [registry] });
