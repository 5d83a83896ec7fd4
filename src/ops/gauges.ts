import { Gauge } from "prom-client";
import type { Registry } from "prom-client";

import type { HoldReason } from "../core/outcome/outcome.ts";
import { help } from "./metric-help.ts";
import type { MetricName } from "./metric-help.ts";

/** The state at the moment of a scrape. */
export interface Snapshot {
  readonly holds: readonly HoldReason[];
  readonly breaker: "closed" | "half-open" | "open";
  readonly lag: readonly { readonly topic: string; readonly partition: number; readonly lag: number }[];
  readonly parkedUsers: number;
  readonly heldRecords: number;
  readonly inFlight: number;
  /** Calls that may be in flight at present. */
  readonly concurrencyLimit: number;
  /** Partitions that are paused, by the reason for it; one may have several. */
  readonly waiting: Readonly<Record<string, number>>;
  /** For each source, how many of its partitions are not read. */
  readonly unread: readonly { readonly topic: string; readonly partitions: number }[];
  /** Where partitions wait because a batch cannot be read. */
  readonly unreadable: readonly { readonly topic: string; readonly partition: number; readonly offset: number }[];
  /** Who makes the dead letters, while they are too many; shares are percentages. */
  readonly culprits: readonly {
    /** Whether everything waits for them, or only their events. */
    readonly scope: "all" | "cause";
    readonly topic: string;
    readonly reason: string;
    readonly rule?: string | undefined;
    readonly percentOfDeadLetters: number;
    readonly percentOfTopic: number;
  }[];
  /** Whether the settings file, as it is now, was taken up. */
  readonly areSettingsOk: boolean;
}

/** What the gauges show before the stream is there. */
export const quiet: Snapshot = {
  holds: [],
  breaker: "closed",
  lag: [],
  parkedUsers: 0,
  heldRecords: 0,
  inFlight: 0,
  concurrencyLimit: 0,
  waiting: {},
  unread: [],
  unreadable: [],
  culprits: [],
  areSettingsOk: true,
};

const breakerStates = { closed: 0, "half-open": 1, open: 2 } as const;

const allHolds = Object.keys({
  target_down: 0,
  throttled: 0,
  unauthorized: 0,
  misconfigured: 0,
  registry_down: 0,
  kafka_unwritable: 0,
  flooded: 0,
  paused: 0,
} satisfies Record<HoldReason, 0>);

interface Labelled {
  readonly name: MetricName;
  readonly labelNames: readonly string[];
  readonly fill: (gauge: Gauge) => void;
}

const registerLabelled = (registry: Registry, { name, labelNames, fill }: Labelled): void => {
  const gauge = new Gauge({
    name,
    help: help[name],
    labelNames,
    registers: [registry],
    collect: () => {
      gauge.reset();
      fill(gauge);
    },
  });
};

const showCulprit = (gauge: Gauge, culprit: Snapshot["culprits"][number]): void => {
  const { scope, topic, reason, rule = "", percentOfDeadLetters, percentOfTopic } = culprit;
  gauge.set({ scope, topic, reason, rule, of: "dead_letters" }, percentOfDeadLetters);
  gauge.set({ scope, topic, reason, rule, of: "topic" }, percentOfTopic);
};

/** Gauges that read the state when Prometheus asks. */
export const registerGauges = (registry: Registry, snapshot: () => Snapshot): void => {
  const single = (name: MetricName, read: (state: Snapshot) => number): void => {
    const gauge = new Gauge({
      name,
      help: help[name],
      registers: [registry],
      collect: () => {
        gauge.set(read(snapshot()));
      },
    });
  };
  const labelled = (name: MetricName, labelNames: readonly string[], fill: (gauge: Gauge) => void): void =>
    registerLabelled(registry, { name, labelNames, fill });
  single("gainstream_breaker_state", ({ breaker }) => breakerStates[breaker]);
  single("gainstream_parked_users", ({ parkedUsers }) => parkedUsers);
  single("gainstream_held_records", ({ heldRecords }) => heldRecords);
  single("gainstream_in_flight", ({ inFlight }) => inFlight);
  single("gainstream_concurrency_limit", ({ concurrencyLimit }) => concurrencyLimit);
  single("gainstream_settings_ok", ({ areSettingsOk }) => Number(areSettingsOk));
  labelled("gainstream_hold", ["reason"], (gauge) => {
    const holds = new Set<string>(snapshot().holds);
    for (const reason of allHolds) gauge.set({ reason }, holds.has(reason) ? 1 : 0);
  });
  labelled("gainstream_partitions_waiting", ["reason"], (gauge) => {
    for (const [reason, partitions] of Object.entries(snapshot().waiting)) gauge.set({ reason }, partitions);
  });
  labelled("gainstream_partitions_unread", ["topic"], (gauge) => {
    for (const { topic, partitions } of snapshot().unread) gauge.set({ topic }, partitions);
  });
  labelled("gainstream_unreadable_offset", ["topic", "partition"], (gauge) => {
    for (const { topic, partition, offset } of snapshot().unreadable) gauge.set({ topic, partition }, offset);
  });
  labelled("gainstream_dead_letter_limit", ["scope", "topic", "reason", "rule", "of"], (gauge) => {
    for (const culprit of snapshot().culprits) showCulprit(gauge, culprit);
  });
  // A partition that has gone to another replica must not stay.
  labelled("gainstream_lag", ["topic", "partition"], (gauge) => {
    for (const { topic, partition, lag } of snapshot().lag) gauge.set({ topic, partition }, lag);
  });
};
