/** The help text of each of our metrics: what it counts, and when to worry. */
export const metricHelp = {
  gainstream_events_total:
    "Events by final outcome. Worry if outcome dead grows, or if no event is delivered while the lag grows",
  gainstream_repairs_total:
    "Repaired events by repair, counted at their final outcome. Worry if one starts to grow: a producer has changed its format",
  gainstream_retries_total:
    "Records moved to a retry topic, once per move. Worry if it grows faster than a few percent of all events; parked records have not failed",
  gainstream_computations_total:
    "Events from Segment Engage by final outcome and by what was computed. Worry if audiences sync and no event is delivered",
  gainstream_calls_total:
    "Calls to Gainsight by HTTP status. Worry if more than a few percent have another status than 2xx",
  gainstream_result_false_total:
    "2xx responses of Gainsight whose body says result: false, by error code family. Worry if it grows: by default these events count as delivered (failOnResultFalse)",
  gainstream_delivery_seconds: "Duration of a call to Gainsight. Worry if it approaches GAINSIGHT_TIMEOUT",
  gainstream_end_to_end_seconds:
    "Time from an event's arrival in Kafka to its final outcome. Worry if it grows without a hold: add replicas or concurrency",
  gainstream_hold:
    "1 while the stream is on hold for this reason. Worry at once about unauthorized, misconfigured and flooded, about other reasons after minutes",
  gainstream_kafka_write_failures_total:
    "Failed attempts to write to a retry topic or the dead-letter topic. Worry if it grows for more than seconds: see the hold kafka_unwritable",
  gainstream_breaker_state:
    "State of the circuit breaker: 0 closed, 1 half-open, 2 open. Worry if it is not 0 for longer than a known outage",
  gainstream_lag: "Records behind the end of the partition. Worry if it grows for minutes without a hold",
  gainstream_parked_users: "Users with events in the retry topics. Worry if it only grows",
  gainstream_held_records: "Records in memory. Worry if it stays at its limit without a hold",
  gainstream_in_flight: "Calls in flight. Worry if it stays at GAINSIGHT_CONCURRENCY while the lag grows",
  gainstream_concurrency_limit:
    "Calls that may be in flight now. Worry if it stays below GAINSIGHT_CONCURRENCY: Gainsight is slow or throttles",
  gainstream_partitions_waiting:
    "Owned partitions that are paused, by reason. Worry if any reason but due stays above 0 for minutes without a hold",
  gainstream_partitions_unread:
    "Source partitions that are not read because a retry topic has fewer partitions. Worry if it is not 0: /readyz names the command that adds partitions",
  gainstream_unreadable_offset:
    "Offset of a batch that cannot be read and stops its partition; absent if there is none. Worry if it is present: /readyz and the log name the cause and the command that skips the batch",
  gainstream_dead_letter_limit:
    "Causes of the dead letters while deadLetterLimit is exceeded, in percent of all dead letters and of the topic's events; absent otherwise. Worry if it is present: it needs a decision of yours",
  gainstream_offsets_skipped_total:
    "Unreadable offsets skipped on an operator's command: their records are lost. Worry if it grows and none of you ran the command",
  gainstream_log_resets_total:
    "Partitions that did not continue at their committed offset, because the topic was recreated or truncated, or because retention deleted unread records. Worry if it grows",
  gainstream_settings_ok:
    "0 while the settings file is invalid and the previous settings stay in effect. Worry if it is 0",
} as const;

export type MetricName = keyof typeof metricHelp;
