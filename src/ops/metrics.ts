import { Counter, Histogram, Registry, collectDefaultMetrics } from "prom-client";

import type { DecidedEvent } from "../core/decide.ts";
import type { ComputationClass } from "../core/event/engage.ts";
import type { Repair } from "../core/event/repairs.ts";
import type { DeadReason, Outcome, SkipReason } from "../core/outcome/outcome.ts";
import type { CodeFamily } from "../core/outcome/result-false.ts";
import { type MetricsSnapshot, emptySnapshot, registerGauges } from "./gauges.ts";
import { type LabelledCounter, createLabelledCounter } from "./labelled-counter.ts";
import { type MetricName, metricHelp } from "./metric-help.ts";

/** An event with its final outcome. A retry is not final. */
interface FinalEvent {
  readonly type: DecidedEvent["type"];
  readonly outcome: FinalOutcome;
  /** Absent if `delivered`. */
  readonly reason?: SkipReason | DeadReason;
  /** What Segment Engage computed, if the event comes from there. */
  readonly computationClass?: ComputationClass | undefined;
  /** From the event's arrival in Kafka to its outcome. */
  readonly endToEndMs?: number;
  /** Absent if nothing was repaired. */
  readonly repairs?: readonly Repair[];
}

type FinalOutcome = Exclude<Outcome["kind"], "retry">;

interface CallSample {
  /** The type of the call, such as `identify`: one of a small fixed set. */
  readonly call: string;
  /** The HTTP status, or `timeout`, `network` or `aborted`. */
  readonly status: string;
  readonly seconds: number;
}

export interface Metrics {
  readonly recordEvent: (event: FinalEvent) => void;
  /** A record has been moved to a retry topic. */
  readonly recordRetry: (reason: string) => void;
  readonly recordCall: (call: CallSample) => void;
  /** A 2xx response whose body says `result: false`. */
  readonly recordResultFalse: (code: CodeFamily) => void;
  /** An attempt to write to this topic has failed. */
  readonly recordWriteFailure: (topic: string) => void;
  /** A partition of this topic could not continue at its committed offset. */
  readonly recordLogReset: (topic: string) => void;
  /** Offsets of this topic were skipped because they cannot be read. */
  readonly recordSkippedOffsets: (topic: string, offsets: number) => void;
  /** Sets the source of the gauges' values. Until then they show `emptySnapshot`. */
  readonly setSnapshotSource: (snapshot: () => MetricsSnapshot) => void;
  /** How many events have reached each outcome, for the status page. */
  readonly totals: () => Record<FinalOutcome, number>;
  /** Events with a final outcome plus records moved to a retry topic. It grows as long as the service makes progress. */
  readonly progressCount: () => number;
  /** In the text format of Prometheus. */
  readonly text: () => Promise<string>;
  readonly contentType: string;
}

const callBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25];
const endToEndBuckets = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300, 1800, 14_400];

/** All metrics of the process, in their own registry. Counting is cheap; the work is done at each scrape. */
export const createMetrics = (): Metrics => {
  const registry = createRegistry();
  const counters = registerCounters(registry);
  const delivery = createHistogram(registry, { name: "gainstream_delivery_seconds", buckets: callBuckets });
  const endToEnd = createHistogram(registry, { name: "gainstream_end_to_end_seconds", buckets: endToEndBuckets });
  let snapshot = (): MetricsSnapshot => emptySnapshot;
  registerGauges(registry, () => snapshot());

  return {
    recordEvent: ({ type, outcome, reason, computationClass, endToEndMs, repairs = [] }) => {
      counters.events.increment(type, outcome, reason);
      for (const repair of repairs) counters.repairs.increment(repair);
      if (computationClass !== undefined) counters.computations.increment(computationClass, outcome);
      // prom-client throws on NaN. The clocks of two machines may differ, so the time may be negative.
      if (Number.isFinite(endToEndMs)) endToEnd.observe(Math.max(0, Number(endToEndMs)) / 1000);
    },
    recordRetry: (reason) => counters.retries.increment(reason),
    recordCall: ({ call, status, seconds }) => {
      counters.calls.increment(call, status);
      delivery.observe(seconds);
    },
    recordResultFalse: (code) => counters.resultsFalse.increment(code),
    recordWriteFailure: (topic) => counters.writeFailures.increment(topic),
    recordLogReset: (topic) => counters.logResets.increment(topic),
    recordSkippedOffsets: (topic, offsets) => counters.skippedOffsets.inc({ topic }, offsets),
    setSnapshotSource: (source) => {
      snapshot = source;
    },
    totals: () => totalsOf(counters.events),
    progressCount: () => totalOf(counters.events) + totalOf(counters.retries),
    text: () => registry.metrics(),
    contentType: registry.contentType,
  };
};

const registerCounters = (registry: Registry) => {
  const labelled = (name: MetricName, ...labelNames: readonly string[]): LabelledCounter =>
    registerLabelledCounter(registry, name, labelNames);
  return {
    events: labelled("gainstream_events_total", "type", "outcome", "reason"),
    repairs: labelled("gainstream_repairs_total", "repair"),
    retries: labelled("gainstream_retries_total", "reason"),
    calls: labelled("gainstream_calls_total", "call", "status"),
    resultsFalse: labelled("gainstream_result_false_total", "code"),
    computations: labelled("gainstream_computations_total", "computation_class", "outcome"),
    writeFailures: labelled("gainstream_kafka_write_failures_total", "topic"),
    logResets: labelled("gainstream_log_resets_total", "topic"),
    skippedOffsets: registerCounter(registry, "gainstream_offsets_skipped_total", ["topic"]),
  };
};

const createRegistry = (): Registry => {
  const registry = new Registry();
  // The default is 10 ms, which wakes an idle process a hundred times a second.
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

/** A counter of prom-client that takes its values from a `LabelledCounter` at each scrape. */
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
