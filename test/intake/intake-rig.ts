import { createDecoder } from "../../src/decoding/decoder.ts";
import { Ingest } from "../../src/intake/ingest.ts";
import type { StartOffset } from "../../src/intake/plan-start-offset.ts";
import { createRecordReader } from "../../src/intake/record-reader.ts";
import { partitionKey, type TopicPartition } from "../../src/kafka/topic-partition.ts";
import { createMemoryBudget } from "../../src/limits/memory-budget.ts";
import type { WorkItem } from "../../src/pipeline/work-item.ts";
import { createTestClock } from "../delivery/test-clock.ts";
import { baseTime, batchOf } from "./batches.ts";

export const source = { topic: "source", partition: 0 };
export const tier = { topic: "retry-30s", partition: 0 };
export const delayMs = 30_000;

export const readJson = createRecordReader({
  decoder: createDecoder({ format: "json" }),
  decide: () => ({ type: "track", decision: { kind: "call", type: "track", body: Buffer.from("{}") } }),
});

export const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
};

/** Ingest with a pipeline that only keeps its work items, and completes them when the test says so. */
export const createTestIngest = ({ maxRecords = 1_000, read = readJson } = {}) => {
  const clock = createTestClock(baseTime);
  const budget = createMemoryBudget({ maxRecords, maxBytes: 1_000_000 });
  const items: WorkItem[] = [];
  const log: string[] = [];
  const requestedSchemas: number[] = [];
  const missing = new Set<number>();
  const heldTopics = new Set<string>();
  const room = { forFew: false };
  const capacity = {
    get isFull() {
      return budget.isFull;
    },
    get mayContinueBatch() {
      return (room.forFew && !budget.isFull) || budget.isHalfFree;
    },
    get mayResume() {
      return budget.isHalfFree;
    },
  };
  const ingest = new Ingest({
    consumer: {
      pause: (topicPartitions) =>
        void log.push(...topicPartitions.map((topicPartition) => `pause ${partitionKey(topicPartition)}`)),
      resume: (topicPartition) => void log.push(`resume ${partitionKey(topicPartition)}`),
      seek: (topicPartition, offset) => void log.push(`seek ${partitionKey(topicPartition)} ${offset}`),
    },
    scheduler: {
      beginAssignment: () => void log.push("begin"),
      enqueue: (_, item) => {
        budget.reserve(item.bytes);
        items.push(item);
      },
      startReady: () => {},
      spillHotKeys: (blocked) => void log.push(`spill ${blocked.map(partitionKey).join(" ")}`),
      capacity,
    },
    read,
    schemas: {
      request: (schemaId) => {
        requestedSchemas.push(schemaId);
        missing.add(schemaId);
      },
      isPending: (schemaId) => missing.has(schemaId),
    },
    retryTopics: new Map([[tier.topic, { tier: 0, delayMs }]]),
    hasDeadLetterHold: (topic) => heldTopics.has(topic),
    wallNow: clock.now,
    monotonicNow: clock.now,
    schedule: clock.schedule,
    nextTurn: queueMicrotask,
    onSuspectLog: () => void log.push("suspect"),
    unreadableEvents: {
      onWaiting: ({ offset }) => void log.push(`waits ${offset}`),
      onResumed: () => void log.push("reads on"),
      onSkipped: ({ offset, lastOffset }) => void log.push(`skipped ${offset} to ${lastOffset}`),
    },
  });
  const startAt = (
    topicPartition: TopicPartition,
    offset: number,
    more: Partial<StartOffset> = {},
  ): [string, StartOffset] => [
    partitionKey(topicPartition),
    { offset, metadata: null, endOffset: offset, topicId: undefined, ...more },
  ];
  const assignAndOpen = (...starts: [TopicPartition, number, Partial<StartOffset>?][]): void => {
    ingest.assign(starts.map(([topicPartition]) => topicPartition));
    ingest.open(new Map(starts.map(([topicPartition, offset, more]) => startAt(topicPartition, offset, more))));
    log.length = 0;
  };
  /** Reads a batch. Returns the resolved offsets, and a promise for the end of the read. */
  const readBatch = (topicPartition: TopicPartition, messages: Parameters<typeof batchOf>[1], high?: number) => {
    const resolved: number[] = [];
    const done = ingest.handleBatch(batchOf(topicPartition, messages, high), (offset) => void resolved.push(offset));
    return { resolved, done };
  };
  const complete = (many: number): void => {
    for (const { owned, entry, bytes } of items.splice(0, many)) {
      owned.tracker.complete(entry);
      budget.release(bytes);
      ingest.reviewCapacityPauses();
    }
  };
  /** The registry answers for all requested schemas. */
  const loadSchemas = (): void => {
    missing.clear();
    ingest.reviewPauses(["schema"]);
  };
  const offsets = (): number[] => items.map(({ entry }) => entry.offset);
  const openPartitionOf = (topicPartition: TopicPartition) =>
    ingest.openPartitions.find((owned) => partitionKey(owned) === partitionKey(topicPartition));
  return {
    ingest,
    clock,
    items,
    log,
    requestedSchemas,
    heldTopics,
    room,
    assignAndOpen,
    readBatch,
    complete,
    loadSchemas,
    offsets,
    openPartitionOf,
    startAt,
  };
};
