/** All metrics of ours, each with when to worry. */
export const metricHelp = {
  gainstream_events_total:
    "Events at their final outcome. Worry when outcome dead grows, or when none is delivered while the lag grows",
  gainstream_repairs_total:
    "Events that were repaired before they were judged, by repair, at their final outcome. Worry when one begins to grow: a producer has changed what it writes",
  gainstream_retries_total:
    "Records moved to a retry tier, at each move. Worry when it grows faster than a few percent of all events; parked ones only follow another",
  gainstream_computations_total:
    "Events of Segment's Engage at their final outcome, by what they computed. Worry when audiences sync and none is delivered",
  gainstream_calls_total:
    "Calls to Gainsight by their answer. Worry when answers other than 2xx are more than a few percent",
  gainstream_result_false_total:
    "Answers of Gainsight with a 2xx whose body says result: false, by the family of its code. Worry when it grows: by default these events count as delivered (failOnResultFalse)",
  gainstream_delivery_seconds: "Duration of one call to Gainsight. Worry when it nears GAINSIGHT_TIMEOUT",
  gainstream_end_to_end_seconds:
    "From arrival in Kafka to the final outcome. Worry when it grows without a hold: more replicas or concurrency are due",
  gainstream_hold:
    "1 while the stream waits for this reason. Worry at once at unauthorized, misconfigured and flooded, at others after minutes",
  gainstream_kafka_write_failures_total:
    "Failed attempts to write to a retry topic or the dead-letter topic. Worry when it grows for more than seconds: see the hold kafka_unwritable",
  gainstream_breaker_state: "0 closed, 1 half-open, 2 open. Worry when it is not 0 for longer than a known outage",
  gainstream_lag: "Records behind the end of the partition. Worry when it grows for minutes without a hold",
  gainstream_parked_users: "Users whose events wait in the retry tiers. Worry when it only grows",
  gainstream_held_records: "Records in memory. Worry when it stays at its limit without a hold",
  gainstream_in_flight: "Calls under way. Worry when it stays at GAINSIGHT_CONCURRENCY while the lag grows",
  gainstream_concurrency_limit:
    "Calls that may be in flight at present. Worry when it stays below GAINSIGHT_CONCURRENCY: Gainsight is slow or throttles",
  gainstream_partitions_waiting:
    "Owned partitions that are not fetched from, by reason. Worry when any but due stays for minutes without a hold",
  gainstream_partitions_unread:
    "Partitions of a source that are not read, because not all retry topics have as many. Worry when it is not 0: /readyz names the command",
  gainstream_unreadable_offset:
    "Where a partition waits because a batch cannot be read; absent if none does. Worry when it is there: /readyz and the log name the cause and the command that skips the batch",
  gainstream_dead_letter_limit:
    "Who makes the dead letters since deadLetterLimit is reached, in percent of the dead letters and of the topic's events; absent if it is not. Worry when it is there: somebody has to act",
  gainstream_offsets_skipped_total:
    "Offsets that were skipped on an operator's word because nobody could read them: their records are lost. Worry when it grows and nobody of you did it",
  gainstream_log_resets_total:
    "Partitions that did not continue where they were: the topic was made anew or its log cut off, or retention removed records unread. Worry when it grows",
  gainstream_settings_ok: "0 while the settings file is wrong and those before it stay. Worry when it is 0",
} as const;

export type MetricName = keyof typeof metricHelp;
