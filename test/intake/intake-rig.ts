import { createDecoder } from "../../src/decoding/decoder.ts";
import { Intake } from "../../src/intake/ingest.ts";
import { feedKey } from "../../src/intake/owned-partition.ts";
import type { Start } from "../../src/intake/plan-start.ts";
import { createReader } from "../../src/intake/record-reader.ts";
import type { TopicPartition } from "../../src/kafka/group/consumer.ts";
import { createBudget } from "../../src/limits/memory-budget.ts";
import type { Held } from "../../src/pipeline/work-item.ts";
import { createTestClock } from "../delivery/test-clock.ts";
import { baseTime, batchOf } from "./batches.ts";

export const source = { topic: "source", partition: 0 };
export const tier = { topic: "retry-30s", partition: 0 };
export const delayMs = 30_000;

export const readJson = createReader({
  decoder: createDecoder({ format: "json" }),
  handle: () => ({ type: "track", meaning: { kind: "call", call: "track", body: Buffer.from("{}") } }),
});

export const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
};

/** Intake with a stream that only holds what it is given, and finishes it when the test says so. */
export const createTestIntake = ({ maxRecords = 1_000, read = readJson } = {}) => {
  const clock = createTestClock(baseTime);
  const budget = createBudget({ maxRecords, maxBytes: 1_000_000 });
  const held: Held[] = [];
  const log: string[] = [];
  const wanted: number[] = [];
  const missing = new Set<number>();
  const heldTopics = new Set<string>();
  const room = { forFew: false };
  const capacity = {
    get isFull() {
      return budget.isFull;
    },
    get wantsMore() {
      return (room.forFew && !budget.isFull) || budget.hasRoom;
    },
    get hasRoom() {
      return budget.hasRoom;
    },
  };
  const intake = new Intake({
    consumer: {
      pause: (places) => void log.push(...places.map((place) => `pause ${feedKey(place)}`)),
      resume: (place) => void log.push(`resume ${feedKey(place)}`),
      seek: (place, offset) => void log.push(`seek ${feedKey(place)} ${offset}`),
    },
    stream: {
      begin: () => void log.push("begin"),
      take: (_, record) => {
        budget.add(record.bytes);
        held.push(record);
      },
      pump: () => {},
      relieve: (blocked) => void log.push(`relieve ${blocked.map(feedKey).join(" ")}`),
      capacity,
    },
    read,
    schemas: {
      want: (schemaId) => {
        wanted.push(schemaId);
        missing.add(schemaId);
      },
      isWanted: (schemaId) => missing.has(schemaId),
    },
    tiers: new Map([[tier.topic, { tier: 0, delayMs }]]),
    isHeldIn: (topic) => heldTopics.has(topic),
    now: clock.now,
    monotonic: clock.now,
    schedule: clock.schedule,
    nextTurn: queueMicrotask,
    onDoubt: () => void log.push("doubt"),
    onUnreadable: {
      onWaits: ({ offset }) => void log.push(`waits ${offset}`),
      onReadsOn: () => void log.push("reads on"),
      onSkipped: ({ offset, lastOffset }) => void log.push(`skipped ${offset} to ${lastOffset}`),
    },
  });
  const startAt = (place: TopicPartition, offset: number, more: Partial<Start> = {}): [string, Start] => [
    feedKey(place),
    { offset, metadata: null, high: offset, topicId: undefined, ...more },
  ];
  const own = (...starts: [TopicPartition, number, Partial<Start>?][]): void => {
    intake.assign(starts.map(([place]) => place));
    intake.restore(new Map(starts.map(([place, offset, more]) => startAt(place, offset, more))));
    log.length = 0;
  };
  /** Hands a batch over; gives the offsets resolved, once intake lets go of it. */
  const take = (place: TopicPartition, messages: Parameters<typeof batchOf>[1], high?: number) => {
    const resolved: number[] = [];
    const done = intake.take(batchOf(place, messages, high), (offset) => void resolved.push(offset));
    return { resolved, done };
  };
  const finish = (many: number): void => {
    for (const { inlet, slot, bytes } of held.splice(0, many)) {
      inlet.tracker.finish(slot);
      budget.remove(bytes);
      intake.reviewEnds();
    }
  };
  /** The registry has answered for all schemas that were asked for. */
  const schemasCame = (): void => {
    missing.clear();
    intake.review(["schema"]);
  };
  const offsets = (): number[] => held.map(({ slot }) => slot.offset);
  const inletOf = (place: TopicPartition) => intake.inlets.find((inlet) => feedKey(inlet) === feedKey(place));
  return {
    intake,
    clock,
    held,
    log,
    wanted,
    heldTopics,
    room,
    own,
    take,
    finish,
    schemasCame,
    offsets,
    inletOf,
    startAt,
  };
};
