import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from "prom-client";

import type { SegmentEvent } from "../core/event.ts";
import type { DeadReason, HoldReason, Outcome, SkipReason } from "../core/outcome.ts";
import { createTally } from "./tally.ts";
import type { Tally } from "./tally.ts";

/** An event at its final outcome; a retry is none. */
interface FinalEvent {
  readonly type: SegmentEvent["type"] | "unknown";
  readonly outcome: FinalOutcome;
  /** Absent for `delivered`. */
  readonly reason?: SkipReason | DeadReason;
  /** From the event's arrival in Kafka to its outcome. */
  readonly endToEndMs?: number;
}

type FinalOutcome = Exclude<Outcome["kind"], "retry">;

interface Call {
  /** The kind of call, such as `identify`: a small fixed set. */
  readonly call: string;
  readonly status: number | "timeout" | "network";
  readonly seconds: number;
}

/** The state at the moment of a scrape. */
export interface Snapshot {
  readonly holds: readonly HoldReason[];
  readonly breaker: "closed" | "half-open" | "open";
  readonly lag: readonly { readonly topic: string; readonly partition: number; readonly lag: number }[];
  readonly parkedUsers: number;
  readonly heldRecords: number;
  readonly inFlight: number;
}

export interface Metrics {
  readonly event: (event: FinalEvent) => void;
  readonly call: (call: Call) => void;
  /** Says where the gauges get their values; before it they show a quiet stream. */
  readonly observe: (snapshot: () => Snapshot) => void;
  /** Events so far by outcome, for the status page. */
  readonly totals: () => Record<FinalOutcome, number>;
  /** The page for Prometheus. */
  readonly text: () => Promise<string>;
  readonly contentType: string;
}

const help = {
  gainstream_events_total:
    "Events at their final outcome. Worry when outcome dead grows, or when none is delivered while the lag grows",
  gainstream_calls_total:
    "Calls to Gainsight by their answer. Worry when answers other than 2xx are more than a few percent",
  gainstream_delivery_seconds: "Duration of one call to Gainsight. Worry when it nears GAINSIGHT_TIMEOUT",
  gainstream_end_to_end_seconds:
    "From arrival in Kafka to the final outcome. Worry when it grows without a hold: more replicas or concurrency are due",
  gainstream_hold:
    "1 while the stream waits for this reason. Worry at once at unauthorized, misconfigured and flooded, at others after minutes",
  gainstream_breaker_state: "0 closed, 1 half-open, 2 open. Worry when it is not 0 for longer than a known outage",
  gainstream_lag: "Records behind the end of the partition. Worry when it grows for minutes without a hold",
  gainstream_parked_users: "Users whose events wait in the retry tiers. Worry when it only grows",
  gainstream_held_records: "Records in memory. Worry when it stays at its limit without a hold",
  gainstream_in_flight: "Calls under way. Worry when it stays at GAINSIGHT_CONCURRENCY while the lag grows",
} as const;

type Name = keyof typeof help;

const breakerStates = { closed: 0, "half-open": 1, open: 2 } as const;

const allHolds = Object.keys({
  target_down: 0,
  throttled: 0,
  unauthorized: 0,
  misconfigured: 0,
  registry_down: 0,
  flooded: 0,
  paused: 0,
} satisfies Record<HoldReason, 0>);

const callBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25];
const endToEndBuckets = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300, 1800, 14_400];

const quiet: Snapshot = { holds: [], breaker: "closed", lag: [], parkedUsers: 0, heldRecords: 0, inFlight: 0 };

/** All metrics of one process in a registry of their own. Counting is cheap; the work is done when Prometheus asks. */
export const createMetrics = (): Metrics => {
  const registry = new Registry();
  const events = createTally();
  const calls = createTally();
  let snapshot = (): Snapshot => quiet;

  registerCounter(registry, {
    name: "gainstream_events_total",
    labelNames: ["type", "outcome", "reason"],
    tally: events,
  });
  registerCounter(registry, { name: "gainstream_calls_total", labelNames: ["call", "status"], tally: calls });
  const delivery = createHistogram(registry, { name: "gainstream_delivery_seconds", buckets: callBuckets });
  const endToEnd = createHistogram(registry, { name: "gainstream_end_to_end_seconds", buckets: endToEndBuckets });
  registerGauges(registry, () => snapshot());
  // The default of 10 ms wakes an idle process a hundred times a second.
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: 50 });

  return {
    event: ({ type, outcome, reason, endToEndMs }) => {
      events.count(type, outcome, reason);
      // prom-client throws on NaN, and the clocks of two machines may differ.
      if (Number.isFinite(endToEndMs)) endToEnd.observe(Math.max(0, Number(endToEndMs)) / 1000);
    },
    call: ({ call, status, seconds }) => {
      calls.count(call, String(status));
      delivery.observe(seconds);
    },
    observe: (source) => {
      snapshot = source;
    },
    totals: () => totalsOf(events),
    text: () => registry.metrics(),
    contentType: registry.contentType,
  };
};

const totalsOf = (events: Tally): Record<FinalOutcome, number> => {
  const totals = { delivered: 0, skipped: 0, dead: 0 };
  for (const { labels, count } of events.entries()) {
    const [, outcome] = labels;
    if (outcome === "delivered" || outcome === "skipped" || outcome === "dead") totals[outcome] += count;
  }
  return totals;
};

interface TalliedCounter {
  readonly name: Name;
  readonly labelNames: readonly string[];
  readonly tally: Tally;
}

const registerCounter = (registry: Registry, { name, labelNames, tally }: TalliedCounter): void => {
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
};

interface HistogramOptions {
  readonly name: Name;
  readonly buckets: number[];
}

const createHistogram = (registry: Registry, { name, buckets }: HistogramOptions): Histogram =>
  new Histogram({ name, help: help[name], buckets, registers: [registry] });

const registerGauges = (registry: Registry, snapshot: () => Snapshot): void => {
  const single = (name: Name, read: (state: Snapshot) => number): void => {
    const gauge = new Gauge({
      name,
      help: help[name],
      registers: [registry],
      collect: () => {
        gauge.set(read(snapshot()));
      },
    });
  };
  single("gainstream_breaker_state", ({ breaker }) => breakerStates[breaker]);
  single("gainstream_parked_users", ({ parkedUsers }) => parkedUsers);
  single("gainstream_held_records", ({ heldRecords }) => heldRecords);
  single("gainstream_in_flight", ({ inFlight }) => inFlight);

  const hold = new Gauge({
    name: "gainstream_hold",
    help: help.gainstream_hold,
    labelNames: ["reason"],
    registers: [registry],
    collect: () => {
      const holds = new Set<string>(snapshot().holds);
      for (const reason of allHolds) hold.set({ reason }, holds.has(reason) ? 1 : 0);
    },
  });
  const lag = new Gauge({
    name: "gainstream_lag",
    help: help.gainstream_lag,
    labelNames: ["topic", "partition"],
    registers: [registry],
    collect: () => {
      // A partition that has gone to another replica must not stay.
      lag.reset();
      for (const { topic, partition, lag: behind } of snapshot().lag) lag.set({ topic, partition }, behind);
    },
  });
};
