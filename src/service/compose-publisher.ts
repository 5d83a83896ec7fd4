import type { Kafka } from "kafkajs";

import type { Config } from "../config/config.ts";
import { compressionFallbacks } from "../kafka/codecs/codecs.ts";
import { explainConnectionError } from "../kafka/connection-error.ts";
import { ProducerHealth } from "../kafka/publish/producer-health.ts";
import { Producers, createProducer } from "../kafka/publish/producers.ts";
import { RetryPublisher } from "../kafka/publish/retry-publisher.ts";
import { explainAuthorizationError } from "../kafka/rights/missing-right.ts";
import { principalOf, topicRight } from "../kafka/rights/rights.ts";
import type { Log } from "../ops/log.ts";
import type { Metrics } from "../ops/metrics.ts";
import type { Observer } from "../ops/observer.ts";
import type { ServiceClock } from "./clock.ts";

interface ComposePublisherOptions {
  /** A client that does not retry: the publisher retries, and the hold says once what fails. */
  readonly kafka: Kafka;
  readonly config: Config;
  readonly log: Log;
  readonly metrics: Pick<Metrics, "recordWriteFailure">;
  readonly clock: Pick<ServiceClock, "monotonicNow" | "schedule" | "random">;
  readonly pause: (ms: number) => Promise<void>;
  readonly onHold: Observer["holdChanged"];
  /** A topic of the service does not exist. */
  readonly onMissing: () => void;
}

/** Everything that writes to the retry topics and the dead-letter topic. */
export interface PublisherParts {
  readonly producers: Producers;
  readonly producerHealth: ProducerHealth;
  readonly publisher: RetryPublisher;
}

const composeProducerHealth = ({ config, log, metrics, clock, onHold, onMissing }: ComposePublisherOptions) => {
  const principal = principalOf(config.kafka);
  return new ProducerHealth({
    monotonicNow: clock.monotonicNow,
    schedule: clock.schedule,
    onMissing,
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

/** What Kafka refuses of the form of a write is logged once; the write goes in another form. */
const composeRefusalLog = (log: Log) => {
  let isTimestampRefused = false;
  const refusedCodecs = new Set<string>();
  return {
    onTimestampRefused: (topic: string): void => {
      if (!isTimestampRefused)
        log.warn({ topic }, "Kafka refuses the time of this machine's clock; records are written without a time");
      isTimestampRefused = true;
    },
    onCodecRefused: (topic: string, codec: string): void => {
      const text = "Kafka refuses this codec; records are written with another, or plain (KAFKA_COMPRESSION)";
      if (!refusedCodecs.has(codec)) log.warn({ topic, codec }, text);
      refusedCodecs.add(codec);
    },
  };
};

/** Nothing connects yet. */
export const composePublisher = (options: ComposePublisherOptions): PublisherParts => {
  const { kafka, config, log, clock, pause } = options;
  const producers = new Producers({
    createProducer: () => createProducer(kafka),
    onCloseError: (error) => log.debug({ err: error }, "Cannot close a producer"),
  });
  const producerHealth = composeProducerHealth(options);
  const publisher = new RetryPublisher({
    producers,
    random: clock.random,
    pause,
    retryTopics: config.topics.retry.map(({ topic }) => topic),
    deadLetterTopic: config.topics.deadLetter,
    compressions: compressionFallbacks(config.kafka.compression),
    onWriteFailed: (write, error) => producerHealth.recordFailure(write, error),
    onWriteEnded: (write) => producerHealth.recordEnd(write),
    ...composeRefusalLog(log),
  });
  return { producers, producerHealth, publisher };
};
