import { Gauge, type Registry } from "prom-client";

import type { HoldReason } from "../core/outcome/outcome.ts";
import { type MetricName, metricHelp } from "./metric-help.ts";

/** The state of the service when Prometheus scrapes it. */
export interface MetricsSnapshot {
  readonly holds: readonly HoldReason[];
  readonly breaker: "closed" | "half-open" | "open";
  readonly lag: readonly { readonly topic: string; readonly partition: number; readonly lag: number }[];
  readonly parkedUsers: number;
  readonly heldRecords: number;
  readonly inFlight: number;
  /** How many calls may be in flight now. */
  readonly concurrencyLimit: number;
  /** How many partitions are paused, by reason. One partition may be paused for several reasons. */
  readonly pausedPartitions: Readonly<Record<string, number>>;
  /** For each source topic, how many of its partitions are not read. */
  readonly unreadPartitions: readonly { readonly topic: string; readonly partitions: number }[];
  /** The partitions that are stopped by a batch that cannot be read, each with the offset of that batch. */
  readonly unreadablePartitions: readonly {
    readonly topic: string;
    readonly partition: number;
    readonly offset: number;
  }[];
  /** The causes of the dead letters while the dead-letter limit is exceeded. */
  readonly deadLetterCauses: readonly {
    /** `all`: the whole stream is on hold. `cause`: only the events of this cause are. */
    readonly scope: "all" | "cause";
    readonly topic: string;
    readonly reason: string;
    readonly rule?: string | undefined;
    readonly percentOfDeadLetters: number;
    readonly percentOfTopic: number;
  }[];
  /** False while the settings file is invalid and the previous settings stay in effect. */
  readonly areSettingsOk: boolean;
}

/** What the gauges show before the service is composed. */
export const emptySnapshot: MetricsSnapshot = {
  holds: [],
  breaker: "closed",
  lag: [],
  parkedUsers: 0,
  heldRecords: 0,
  inFlight: 0,
  concurrencyLimit: 0,
  pausedPartitions: {},
  unreadPartitions: [],
  unreadablePartitions: [],
  deadLetterCauses: [],
  areSettingsOk: true,
};

const breakerStates = { closed: 0, "half-open": 1, open: 2 } as const;

const holdReasons = Object.keys({
  target_down: 0,
  throttled: 0,
  unauthorized: 0,
  misconfigured: 0,
  registry_down: 0,
  kafka_unwritable: 0,
  flooded: 0,
  paused: 0,
} satisfies Record<HoldReason, 0>);

interface LabelledGauge {
  readonly name: MetricName;
  readonly labelNames: readonly string[];
  readonly collect: (gauge: Gauge) => void;
}

const registerLabelledGauge = (registry: Registry, { name, labelNames, collect }: LabelledGauge): void => {
  const gauge = new Gauge({
    name,
    help: metricHelp[name],
    labelNames,
    registers: [registry],
    collect: () => {
      gauge.reset();
      collect(gauge);
    },
  });
};

const setDeadLetterCause = (gauge: Gauge, cause: MetricsSnapshot["deadLetterCauses"][number]): void => {
  const { scope, topic, reason, rule = "", percentOfDeadLetters, percentOfTopic } = cause;
  gauge.set({ scope, topic, reason, rule, of: "dead_letters" }, percentOfDeadLetters);
  gauge.set({ scope, topic, reason, rule, of: "topic" }, percentOfTopic);
};

/** Registers the gauges. They read the state at each scrape. */
export const registerGauges = (registry: Registry, snapshot: () => MetricsSnapshot): void => {
  const single = (name: MetricName, read: (state: MetricsSnapshot) => number): void => {
    const gauge = new Gauge({
      name,
      help: metricHelp[name],
      registers: [registry],
      collect: () => {
        gauge.set(read(snapshot()));
      },
    });
  };
  const labelled = (name: MetricName, labelNames: readonly string[], collect: (gauge: Gauge) => void): void =>
    registerLabelledGauge(registry, { name, labelNames, collect });
  single("gainstream_breaker_state", ({ breaker }) => breakerStates[breaker]);
  single("gainstream_parked_users", ({ parkedUsers }) => parkedUsers);
  single("gainstream_held_records", ({ heldRecords }) => heldRecords);
  single("gainstream_in_flight", ({ inFlight }) => inFlight);
  single("gainstream_concurrency_limit", ({ concurrencyLimit }) => concurrencyLimit);
  single("gainstream_settings_ok", ({ areSettingsOk }) => Number(areSettingsOk));
  labelled("gainstream_hold", ["reason"], (gauge) => {
    const holds = new Set<string>(snapshot().holds);
    for (const reason of holdReasons) gauge.set({ reason }, holds.has(reason) ? 1 : 0);
  });
  labelled("gainstream_partitions_waiting", ["reason"], (gauge) => {
    for (const [reason, partitions] of Object.entries(snapshot().pausedPartitions)) gauge.set({ reason }, partitions);
  });
  labelled("gainstream_partitions_unread", ["topic"], (gauge) => {
    for (const { topic, partitions } of snapshot().unreadPartitions) gauge.set({ topic }, partitions);
  });
  labelled("gainstream_unreadable_offset", ["topic", "partition"], (gauge) => {
    for (const { topic, partition, offset } of snapshot().unreadablePartitions) gauge.set({ topic, partition }, offset);
  });
  labelled("gainstream_dead_letter_limit", ["scope", "topic", "reason", "rule", "of"], (gauge) => {
    for (const cause of snapshot().deadLetterCauses) setDeadLetterCause(gauge, cause);
  });
  // `labelled` resets the gauge first: a partition that has moved to another replica must not stay.
  labelled("gainstream_lag", ["topic", "partition"], (gauge) => {
    for (const { topic, partition, lag } of snapshot().lag) gauge.set({ topic, partition }, lag);
  });
};
