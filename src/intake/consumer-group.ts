import type { Kafka } from "kafkajs";

import type { Decide } from "../core/decide.ts";
import type { Decoder } from "../decoding/decoder.ts";
import type { ClusterAdmin } from "../kafka/admin.ts";
import type { ConsumerWatchdog } from "../kafka/group/consumer-watchdog.ts";
import { type ConsumerOptions, GroupConsumer } from "../kafka/group/consumer.ts";
import type { Clock } from "../pipeline/ports.ts";
import type { Scheduler } from "../pipeline/scheduler.ts";
import { Commits } from "./commits.ts";
import { Ingest, type IngestOptions } from "./ingest.ts";
import { KnownLogs } from "./known-logs.ts";
import { committablePartitions, partitionNumbersOf } from "./owned-partition.ts";
import { RebalanceHandler, type RebalanceHandlerOptions } from "./rebalance-handler.ts";
import { createRecordReader } from "./record-reader.ts";
import type { Clocks } from "./retry-delay.ts";
import { SchemaWait, type SchemaWaitOptions } from "./schema-wait.ts";
import type { StartOffsetsOptions } from "./start-offsets.ts";

export interface ConsumerGroupOptions extends Pick<
  RebalanceHandlerOptions,
  "pause" | "abortCalls" | "onState" | "onLogReset" | "onFatal" | "drainTimeoutMs"
> {
  readonly kafka: Kafka;
  readonly admin: ClusterAdmin;
  readonly scheduler: Scheduler;
  readonly clock: Clock & Clocks;
  readonly decoder: Decoder;
  readonly decide: Decide;
  readonly groupId: string;
  readonly sources: readonly string[];
  readonly retryTopics: readonly { readonly topic: string; readonly delayMs: number }[];
  readonly startFrom: StartOffsetsOptions["startFrom"];
  readonly sessionTimeoutMs: number;
  readonly onRegistryHold: SchemaWaitOptions["onHold"];
  readonly mayJoin: ConsumerOptions["mayJoin"];
  /** Reports why the consumer is not running. */
  readonly onProblem: ConsumerOptions["onProblem"];
  /** The group coordinator has answered a heartbeat. */
  readonly onHeartbeat: () => void;
  readonly watchdog: ConsumerWatchdog;
  readonly onCommitError: (error: unknown) => void;
  readonly onMetadataShortened: (chars: number) => void;
  readonly hasDeadLetterHold: IngestOptions["hasDeadLetterHold"];
  readonly onSuspectLog: IngestOptions["onSuspectLog"];
  readonly unreadableEvents: IngestOptions["unreadableEvents"];
}

/** This member of the consumer group: the Kafka consumer, and the parts of intake that work on its partitions. */
export interface ConsumerGroup {
  readonly consumer: GroupConsumer;
  readonly ingest: Ingest;
  readonly commits: Commits;
  readonly rebalanceHandler: RebalanceHandler;
  readonly schemaWait: SchemaWait;
}

/** Returns a part that is created later: the parts refer to each other. */
type Later<T> = () => T;

/** Connects the consumer's callbacks. The consumer calls them only after it has started, when all parts exist. */
const createConsumer = (
  options: ConsumerGroupOptions,
  ingest: Later<Ingest>,
  rebalanceHandler: Later<RebalanceHandler>,
): GroupConsumer => {
  const retryTopics = options.retryTopics.map(({ topic }) => topic);
  return new GroupConsumer({
    ...options,
    monotonicNow: options.clock.monotonicNow,
    topics: [...options.sources, ...retryTopics],
    retryTopics,
    ownedNumbers: () => partitionNumbersOf(ingest().ownedPartitions),
    beforeJoin: () => rebalanceHandler().beforeJoin(),
    onJoin: (assigned) => rebalanceHandler().onJoined(assigned),
    onBatch: (batch, resolve) => ingest().handleBatch(batch, resolve),
    onHiddenRecords: (partition) => ingest().skipHiddenRecords(partition),
    onOutOfRange: (partition) => ingest().gaps.onOutOfRange(partition),
    onUnreadable: (partition) => ingest().unreadable.onUnreadable(partition),
  });
};

const createIngest = (options: ConsumerGroupOptions, consumer: GroupConsumer, schemas: SchemaWait): Ingest => {
  const { clock, decoder, decide, scheduler, retryTopics, hasDeadLetterHold, onSuspectLog, unreadableEvents } = options;
  return new Ingest({
    ...clock,
    consumer,
    scheduler,
    schemas,
    read: createRecordReader({ decoder, decide, wallNow: clock.wallNow }),
    hasDeadLetterHold,
    onSuspectLog,
    unreadableEvents,
    retryTopics: new Map(retryTopics.map(({ topic, delayMs }, tier) => [topic, { tier, delayMs }])),
  });
};

/** Creates the parts of intake and connects them. Starts nothing. */
export const createConsumerGroup = (options: ConsumerGroupOptions): ConsumerGroup => {
  const { admin, scheduler, clock, decoder, groupId, startFrom } = options;
  const consumer = createConsumer(
    options,
    () => ingest,
    () => rebalanceHandler,
  );
  const schemaWait = new SchemaWait({
    random: clock.random,
    schedule: clock.schedule,
    monotonicNow: clock.monotonicNow,
    load: decoder.loadSchema,
    onHold: options.onRegistryHold,
    onLoaded: () => ingest.reviewPauses(["schema"]),
  });
  const ingest: Ingest = createIngest(options, consumer, schemaWait);
  const commits = new Commits({
    consumer,
    ownedPartitions: () => committablePartitions(ingest.ownedPartitions),
    onError: options.onCommitError,
    onMetadataShortened: options.onMetadataShortened,
  });
  const startOffsets = { admin, groupId, startFrom, knownLogs: new KnownLogs() };
  const rebalanceHandler: RebalanceHandler = new RebalanceHandler({
    ...options,
    ingest,
    scheduler,
    commits,
    startOffsets,
  });
  return { consumer, ingest, commits, rebalanceHandler, schemaWait };
};
