import type { Kafka } from "kafkajs";

import type { Config } from "../config/config.ts";
import { createProducer } from "../kafka/client.ts";
import { compressionsFrom } from "../kafka/codecs/codecs.ts";
import { explainTrouble } from "../kafka/connection-error.ts";
import { Writes, type WritesOptions } from "../kafka/publish/producer-health.ts";
import { Producers } from "../kafka/publish/producers.ts";
import { Settler } from "../kafka/publish/retry-publisher.ts";
import { explainRefusal, principalOf, topicRight } from "../kafka/topics/refusals.ts";
import type { Log } from "../ops/log.ts";
import type { Metrics } from "../ops/metrics.ts";
import type { Observer } from "../ops/observer.ts";

export interface WritingOptions extends Pick<WritesOptions, "schedule" | "onMissing"> {
  /** One that does not try again: the settler does, and the hold says once what fails. */
  readonly kafka: Kafka;
  readonly config: Config;
  readonly log: Log;
  readonly metrics: Pick<Metrics, "writeFailed">;
  readonly hold: Observer["hold"];
  readonly monotonic: () => number;
  readonly random: () => number;
  readonly pause: (ms: number) => Promise<void>;
}

/** Everything that writes to the retry topics and the dead-letter topic. */
export interface Writing {
  readonly producers: Producers;
  readonly writes: Writes;
  readonly settler: Settler;
}

const createWrites = (options: WritingOptions): Writes => {
  const { config, log, metrics, hold, monotonic } = options;
  const principal = principalOf(config.kafka);
  return new Writes({
    ...options,
    now: monotonic,
    explain: (topic, error) =>
      explainRefusal(error, [topicRight("Write", topic)], principal) ??
      explainTrouble(error instanceof Error ? error.message : String(error)),
    onFailure: ({ topic, error }) => {
      metrics.writeFailed(topic);
      log.debug({ topic, error }, "Cannot write to Kafka; retrying");
    },
    onHold: (change) => hold({ reason: "kafka_unwritable", ...change }),
  });
};

/** Connects to nothing yet. */
export const createWriting = (options: WritingOptions): Writing => {
  const { kafka, config, log } = options;
  const producers = new Producers({
    create: () => createProducer(kafka),
    onCloseError: (error) => log.debug({ err: error }, "Cannot close a producer"),
  });
  const writes = createWrites(options);
  let isClockRefused = false;
  const onClockRefused = (topic: string): void => {
    if (!isClockRefused)
      log.warn({ topic }, "Kafka refuses the time of this machine's clock; records are written without a time");
    isClockRefused = true;
  };
  const refused = new Set<string>();
  const onCodecRefused = (topic: string, codec: string): void => {
    const text = "Kafka refuses this codec; records are written with another, or plain (KAFKA_COMPRESSION)";
    if (!refused.has(codec)) log.warn({ topic, codec }, text);
    refused.add(codec);
  };
  const settler = new Settler({
    ...options,
    producers,
    tiers: config.topics.retry.map(({ topic }) => topic),
    deadLetterTopic: config.topics.deadLetter,
    compressions: compressionsFrom(config.kafka.compression),
    onFailed: (write, error) => writes.failed(write, error),
    onEnded: (write) => writes.ended(write),
    onClockRefused,
    onCodecRefused,
  });
  return { producers, writes, settler };
};
