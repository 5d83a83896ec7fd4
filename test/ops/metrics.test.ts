import { describe, expect, test } from "vitest";

import { createMetrics } from "../../src/ops/metrics.ts";

const linesOf = async (metrics: ReturnType<typeof createMetrics>, name: string) =>
  (await metrics.text()).split("\n").filter((line) => line.startsWith(name));

describe("createMetrics()", () => {
  test("counts events by type, outcome and reason, the same at every scrape", async () => {
    const metrics = createMetrics();
    metrics.recordEvent({ type: "track", outcome: "delivered", endToEndMs: 40 });
    metrics.recordEvent({ type: "track", outcome: "delivered", endToEndMs: 3000 });
    metrics.recordEvent({ type: "unknown", outcome: "dead", reason: "undecodable" });
    const expected = [
      'gainstream_events_total{type="track",outcome="delivered",reason=""} 2',
      'gainstream_events_total{type="unknown",outcome="dead",reason="undecodable"} 1',
    ];
    expect(await linesOf(metrics, "gainstream_events_total")).toEqual(expected);
    expect(await linesOf(metrics, "gainstream_events_total")).toEqual(expected);
    expect(metrics.totals()).toEqual({ delivered: 2, skipped: 0, dead: 1 });
  });

  test("counts moves to a retry topic by reason, and all progress in one sum", async () => {
    const metrics = createMetrics();
    metrics.recordRetry("timeout");
    metrics.recordRetry("parked");
    metrics.recordRetry("parked");
    metrics.recordEvent({ type: "track", outcome: "delivered" });
    metrics.recordEvent({ type: "other", outcome: "skipped", reason: "tombstone" });
    metrics.recordEvent({ type: "track", outcome: "dead", reason: "rejected" });
    expect(await linesOf(metrics, "gainstream_retries_total")).toEqual([
      'gainstream_retries_total{reason="timeout"} 1',
      'gainstream_retries_total{reason="parked"} 2',
    ]);
    expect(metrics.progressCount()).toBe(6);
    expect(metrics.totals()).toEqual({ delivered: 1, skipped: 1, dead: 1 });
  });

  test("counts events from Segment Engage by computation class", async () => {
    const metrics = createMetrics();
    metrics.recordEvent({ type: "identify", outcome: "delivered", computationClass: "audience" });
    metrics.recordEvent({ type: "track", outcome: "delivered", computationClass: "audience" });
    metrics.recordEvent({ type: "group", outcome: "dead", reason: "rejected", computationClass: "computed_trait" });
    metrics.recordEvent({ type: "track", outcome: "delivered" });
    expect(await linesOf(metrics, "gainstream_computations_total")).toEqual([
      'gainstream_computations_total{computation_class="audience",outcome="delivered"} 2',
      'gainstream_computations_total{computation_class="computed_trait",outcome="dead"} 1',
    ]);
  });

  test("measures the time from Kafka to the outcome in seconds", async () => {
    const metrics = createMetrics();
    metrics.recordEvent({ type: "track", outcome: "delivered", endToEndMs: 40 });
    metrics.recordEvent({ type: "track", outcome: "delivered", endToEndMs: 3000 });
    metrics.recordEvent({ type: "other", outcome: "skipped", reason: "unsupported_event_type" });
    const lines = await linesOf(metrics, "gainstream_end_to_end_seconds");
    expect(lines).toContain('gainstream_end_to_end_seconds_bucket{le="0.05"} 1');
    expect(lines).toContain('gainstream_end_to_end_seconds_bucket{le="5"} 2');
    expect(lines).toContain("gainstream_end_to_end_seconds_sum 3.04");
    expect(lines).toContain("gainstream_end_to_end_seconds_count 2");
  });

  test("takes a negative time as zero, and leaves out what is no number", async () => {
    const metrics = createMetrics();
    metrics.recordEvent({ type: "track", outcome: "delivered", endToEndMs: -500 });
    metrics.recordEvent({ type: "track", outcome: "delivered", endToEndMs: Number.NaN });
    const lines = await linesOf(metrics, "gainstream_end_to_end_seconds");
    expect(lines).toContain("gainstream_end_to_end_seconds_sum 0");
    expect(lines).toContain("gainstream_end_to_end_seconds_count 1");
  });

  test("counts calls by status and measures their duration", async () => {
    const metrics = createMetrics();
    metrics.recordCall({ call: "track", status: "200", seconds: 0.02 });
    metrics.recordCall({ call: "track", status: "timeout", seconds: 10 });
    expect(await linesOf(metrics, "gainstream_calls_total")).toEqual([
      'gainstream_calls_total{call="track",status="200"} 1',
      'gainstream_calls_total{call="track",status="timeout"} 1',
    ]);
    expect(await linesOf(metrics, "gainstream_delivery_seconds_count")).toEqual([
      "gainstream_delivery_seconds_count 2",
    ]);
  });

  test("counts responses with result: false by code family", async () => {
    const metrics = createMetrics();
    metrics.recordResultFalse("GSOBJ");
    metrics.recordResultFalse("other");
    metrics.recordResultFalse("GSOBJ");
    expect(await linesOf(metrics, "gainstream_result_false_total")).toEqual([
      'gainstream_result_false_total{code="GSOBJ"} 2',
      'gainstream_result_false_total{code="other"} 1',
    ]);
  });

  test("counts log resets by topic", async () => {
    const metrics = createMetrics();
    metrics.recordLogReset("a");
    metrics.recordLogReset("a");
    expect(await linesOf(metrics, "gainstream_log_resets_total{")).toEqual([
      'gainstream_log_resets_total{topic="a"} 2',
    ]);
  });

  test("counts skipped offsets by topic", async () => {
    const metrics = createMetrics();
    metrics.recordSkippedOffsets("a", 10);
    metrics.recordSkippedOffsets("a", 1);
    expect(await linesOf(metrics, "gainstream_offsets_skipped_total{")).toEqual([
      'gainstream_offsets_skipped_total{topic="a"} 11',
    ]);
  });

  test("always shows all eight holds", async () => {
    const metrics = createMetrics();
    expect(await linesOf(metrics, "gainstream_hold{")).toHaveLength(8);
    metrics.setSnapshotSource(() => ({
      holds: ["throttled"],
      breaker: "half-open",
      lag: [],
      parkedUsers: 3,
      heldRecords: 4,
      inFlight: 5,
      concurrencyLimit: 32,
      pausedPartitions: { due: 2, budget: 0 },
      unreadPartitions: [{ topic: "segment-events", partitions: 3 }],
      unreadablePartitions: [{ topic: "segment-events", partition: 3, offset: 10 }],
      deadLetterCauses: [
        {
          scope: "cause",
          topic: "web",
          reason: "invalid_event",
          rule: "type_missing",
          percentOfDeadLetters: 97,
          percentOfTopic: 40.5,
        },
      ],
      areSettingsOk: false,
    }));
    expect((await linesOf(metrics, "gainstream_hold{")).toSorted()).toEqual([
      'gainstream_hold{reason="flooded"} 0',
      'gainstream_hold{reason="kafka_unwritable"} 0',
      'gainstream_hold{reason="misconfigured"} 0',
      'gainstream_hold{reason="paused"} 0',
      'gainstream_hold{reason="registry_down"} 0',
      'gainstream_hold{reason="target_down"} 0',
      'gainstream_hold{reason="throttled"} 1',
      'gainstream_hold{reason="unauthorized"} 0',
    ]);
    const text = await metrics.text();
    expect(text).toContain("gainstream_breaker_state 1\n");
    expect(text).toContain("gainstream_parked_users 3\n");
    expect(text).toContain("gainstream_held_records 4\n");
    expect(text).toContain("gainstream_in_flight 5\n");
    expect(text).toContain("gainstream_concurrency_limit 32\n");
    expect(text).toContain("gainstream_settings_ok 0\n");
    expect(text).toContain('gainstream_partitions_waiting{reason="due"} 2\n');
    expect(text).toContain('gainstream_partitions_unread{topic="segment-events"} 3\n');
    expect(text).toContain('gainstream_unreadable_offset{topic="segment-events",partition="3"} 10\n');
    expect(text).toContain('gainstream_partitions_waiting{reason="budget"} 0\n');
    expect(await linesOf(metrics, "gainstream_dead_letter_limit{")).toEqual(
      ["dead_letters", "topic"].map(
        (of) =>
          `gainstream_dead_letter_limit{scope="cause",topic="web",reason="invalid_event",rule="type_missing",of="${of}"} ${of === "topic" ? 40.5 : 97}`,
      ),
    );
  });

  test("drops the lag of a partition that has moved to another instance", async () => {
    const metrics = createMetrics();
    let partitions = [0, 1];
    metrics.setSnapshotSource(() => ({
      holds: [],
      breaker: "closed",
      lag: partitions.map((partition) => ({ topic: "a", partition, lag: 7 })),
      parkedUsers: 0,
      heldRecords: 0,
      inFlight: 0,
      concurrencyLimit: 64,
      pausedPartitions: {},
      unreadPartitions: [],
      unreadablePartitions: [],
      deadLetterCauses: [],
      areSettingsOk: true,
    }));
    expect(await linesOf(metrics, "gainstream_lag{")).toHaveLength(2);
    partitions = [1];
    expect(await linesOf(metrics, "gainstream_lag{")).toEqual(['gainstream_lag{topic="a",partition="1"} 7']);
  });

  test("keeps the metrics of two instances apart, each with those of process and event loop", async () => {
    const metrics = createMetrics();
    createMetrics().recordEvent({ type: "track", outcome: "delivered" });
    expect(metrics.totals()).toEqual({ delivered: 0, skipped: 0, dead: 0 });
    const text = await metrics.text();
    expect(text).toContain("process_resident_memory_bytes ");
    expect(text).toContain("nodejs_eventloop_lag_p99_seconds ");
  });

  test("counts failed writes to Kafka by topic", async () => {
    const metrics = createMetrics();
    for (const topic of ["retry", "dlq", "dlq"]) metrics.recordWriteFailure(topic);
    expect(await linesOf(metrics, "gainstream_kafka_write_failures_total{")).toEqual([
      'gainstream_kafka_write_failures_total{topic="retry"} 1',
      'gainstream_kafka_write_failures_total{topic="dlq"} 2',
    ]);
  });

  test("says for each of our metrics when to worry", async () => {
    const helps = await linesOf(createMetrics(), "# HELP gainstream_");
    expect(helps).toHaveLength(23);
    expect(helps.every((line) => line.includes("Worry if") || line.includes("Worry at once"))).toBe(true);
  });
});
