import type { Kafka } from "kafkajs";

import type { Config } from "../config/config.ts";
import { compressionFallbacks } from "../kafka/codecs/codecs.ts";
import { explainConnectionError } from "../kafka/connection-error.ts";
import { ProducerHealth, type ProducerHealthOptions } from "../kafka/publish/producer-health.ts";
import { Producers, createProducer } from "../kafka/publish/producers.ts";
import { RetryPublisher } from "../kafka/publish/retry-publisher.ts";
import { explainAuthorizationError } from "../kafka/rights/missing-right.ts";
import { principalOf, topicRight } from "../kafka/rights/rights.ts";
import type { Log } from "../ops/log.ts";
import type { Metrics } from "../ops/metrics.ts";
import type { Observer } from "../ops/observer.ts";

export interface ComposePublisherOptions extends Pick<ProducerHealthOptions, "schedule" | "onMissing"> {
  /** One that does not try again: the settler does, and the hold says once what fails. */
  readonly kafka: Kafka;
  readonly config: Config;
  readonly log: Log;
  readonly metrics: Pick<Metrics, "recordWriteFailure">;
  readonly onHold: Observer["holdChanged"];
  readonly monotonicNow: () => number;
  readonly random: () => number;
  readonly pause: (ms: number) => Promise<void>;
}

/** Everything that writes to the retry topics and the dead-letter topic. */
export interface PublisherParts {
  readonly producers: Producers;
  readonly producerHealth: ProducerHealth;
  readonly publisher: RetryPublisher;
}

const createProducerHealth = (options: ComposePublisherOptions): ProducerHealth => {
  const { config, log, metrics, onHold, monotonicNow } = options;
  const principal = principalOf(config.kafka);
  return new ProducerHealth({
    ...options,
    monotonicNow,
    explain: (topic, error) =>
      explainAuthorizationError(error, [topicRight("Write", topic)], principal) ??
      explainConnectionError(error instanceof Error ? error.message : String(error)),
    onFailure: ({ topic, error }) => {
      metrics.recordWriteFailure(topic);
      log.debug({ topic, error }, "Cannot write to Kafka; retrying");
    },
    onHold: (change) => onHold({ reason: "kafka_unwritable", ...change }),
  });
};

/** Connects to nothing yet. */
export const composePublisher = (options: ComposePublisherOptions): PublisherParts => {
  const { kafka, config, log } = options;
  const producers = new Producers({
    createProducer: () => createProducer(kafka),
    onCloseError: (error) => log.debug({ err: error }, "Cannot close a producer"),
  });
  const producerHealth = createProducerHealth(options);
  let isClockRefused = false;
  const onClockRefused = (topic: string): void => {
    if (!isClockRefused)
      log.warn({ topic }, "Kafka refuses the time of this machine's clock; records are written without a time");
    isClockRefused = true;
  };
  const refusedCodecs = new Set<string>();
  const onCodecRefused = (topic: string, codec: string): void => {
    const codecWarning = "Kafka refuses this codec; records are written with another, or plain (KAFKA_COMPRESSION)";
    if (!refusedCodecs.has(codec)) log.warn({ topic, codec }, codecWarning);
    refusedCodecs.add(codec);
  };
  const publisher = new RetryPublisher({
    ...options,
    producers,
    retryTopics: config.topics.retry.map(({ topic }) => topic),
    deadLetterTopic: config.topics.deadLetter,
    compressions: compressionFallbacks(config.kafka.compression),
    onWriteFailed: (write, error) => producerHealth.recordFailure(write, error),
    onWriteEnded: (write) => producerHealth.recordEnd(write),
    onTimestampRefused: onClockRefused,
    onCodecRefused,
  });
  return { producers, producerHealth, publisher };
};
