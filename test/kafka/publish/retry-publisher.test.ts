import type { Message } from "kafkajs";
import { KafkaJSConnectionError, KafkaJSNumberOfRetriesExceeded, KafkaJSProtocolError } from "kafkajs";
import { describe, expect, it } from "vitest";

import { type FailureDetails, sourcePositionOf } from "../../../src/core/outcome/headers.ts";
import type { ParsedRecord } from "../../../src/core/parsed-record.ts";
import type { Compression } from "../../../src/kafka/codecs/codecs.ts";
import type { Write } from "../../../src/kafka/publish/producers.ts";
import { RetryPublisher } from "../../../src/kafka/publish/retry-publisher.ts";

const source = sourcePositionOf({ topic: "segment-events", partition: 4, offset: "42", timestamp: 1_700_000_000_000 });
const failure: FailureDetails = {
  source,
  reason: "server_error",
  error: "It failed",
  attempts: 2,
  firstFailedAt: undefined,
};

const parsed: ParsedRecord = {
  record: {
    key: Buffer.from("u1"),
    value: Buffer.from([0, 1, 2, 255]),
    headers: { trace: Buffer.from([7, 255]), "gainstream-attempts": "1" },
    timestamp: 1_700_000_000_000,
  },
  user: "u1",
  type: "track",
  decision: { kind: "call", type: "track", body: Buffer.from("{}") },
  retryState: { source, attempts: 1, firstFailedAt: undefined },
  repairs: [],
};

const tooLarge = new KafkaJSProtocolError(
  Object.assign(new Error("The message is too large"), { type: "MESSAGE_TOO_LARGE", code: 10, retriable: false }),
);
const refusedAs = (type: string) =>
  new KafkaJSProtocolError(Object.assign(new Error(`Refused as ${type}`), { type, code: 0, retriable: false }));
const broken = new KafkaJSConnectionError("Closed connection");

const refusedTime = new KafkaJSProtocolError(
  Object.assign(new Error("The timestamp is out of range"), { type: "INVALID_TIMESTAMP", code: 32, retriable: false }),
);

/** Producers that answer each write in turn: with an error, or with an offset; after these, always with offset 7. */
const createPublisherWith = (compressions: readonly Compression[], answers: (Error | number)[]) => {
  const written: Write[] = [];
  const pauses: number[] = [];
  const errors: unknown[] = [];
  const clocksRefused: string[] = [];
  const codecsRefused: string[] = [];
  const waiting = new Set<object>();
  const publisher: RetryPublisher = new RetryPublisher({
    producers: {
      write: async (write) => {
        written.push(write);
        const answer = answers.shift() ?? 7;
        if (answer instanceof Error) throw answer;
        return answer;
      },
    },
    retryTopics: ["retry-30s", "retry-5m"],
    deadLetterTopic: "dlq",
    compressions,
    random: () => 0.5,
    pause: async (ms) => void pauses.push(ms),
    onWriteFailed: (write, error) => {
      waiting.add(write);
      errors.push(error);
    },
    onWriteEnded: (write) => void waiting.delete(write),
    onTimestampRefused: (topic) => void clocksRefused.push(topic),
    onCodecRefused: (topic, codec) => void codecsRefused.push(`${topic} ${codec}`),
  });
  const messages = (): Message[] => written.flatMap((write) => write.messages);
  return { publisher, written, messages, pauses, errors, waiting, clocksRefused, codecsRefused };
};

const createTestPublisher = (...answers: (Error | number)[]) => createPublisherWith(["none"], answers);

const headersOf = (message: Message | undefined): Record<string, string> =>
  Object.fromEntries(Object.entries(message?.headers ?? {}).map(([name, value]) => [name, String(value)]));

describe("retry publisher", () => {
  it("writes a record to its retry topic on the partition number it was read from", async () => {
    const { publisher, written } = createTestPublisher(123);
    expect(await publisher.publishRetries([{ parsed, failure: { ...failure, tier: 1, partition: 5 } }])).toBe(123);
    expect(written).toMatchObject([{ topic: "retry-5m", partition: 5 }]);
  });

  it("writes several records of a user in one request, in order", async () => {
    const { publisher, written, messages } = createTestPublisher(40);
    const records = ["a", "b", "c"].map((key) => ({
      parsed: { ...parsed, record: { ...parsed.record, key: Buffer.from(key) } },
      failure: { ...failure, tier: 0, partition: 5 },
    }));
    expect(await publisher.publishRetries(records)).toBe(40);
    expect(written).toHaveLength(1);
    expect(written[0]?.partition).toBe(5);
    expect(messages().map(({ key }) => String(key))).toEqual(["a", "b", "c"]);
  });

  it("returns too_large if several records are too large together, so that they can go one by one", async () => {
    const { publisher, written } = createTestPublisher(tooLarge, 1);
    const retryRecord = { parsed, failure: { ...failure, tier: 0, partition: 5 } };
    expect(await publisher.publishRetries([retryRecord, retryRecord])).toBe("too_large");
    expect(written).toHaveLength(1);
  });

  it("leaves key, value and foreign headers as they are, and replaces ours", async () => {
    const { publisher, messages } = createTestPublisher();
    await publisher.publishRetries([{ parsed, failure: { ...failure, tier: 0, partition: 5 } }]);
    const [message] = messages();
    expect(message?.key).toBe(parsed.record.key);
    expect(message?.value).toBe(parsed.record.value);
    expect(message?.headers?.["trace"]).toBe(parsed.record.headers["trace"]);
    expect(headersOf(message)).toMatchObject({
      "gainstream-attempts": "2",
      "gainstream-reason": "server_error",
      "gainstream-id": "segment-events-4-42",
    });
  });

  it("leaves the partition of a dead letter to the key, and adds the names that other viewers know", async () => {
    const { publisher, written, messages } = createTestPublisher();
    expect(await publisher.publishDeadLetter(parsed, { ...failure, reason: "rejected" })).toBe(true);
    expect(written).toMatchObject([{ topic: "dlq" }]);
    expect(written[0]).not.toHaveProperty("partition");
    expect(headersOf(messages()[0])).toMatchObject({
      "gainstream-reason": "rejected",
      "__connect.errors.topic": "segment-events",
      "__connect.errors.offset": "42",
    });
  });

  it("retries until the write is acknowledged, with growing pauses, and reports every failure", async () => {
    const failures = Array.from({ length: 8 }, () => broken);
    const { publisher, written, pauses, errors } = createTestPublisher(...failures, 9);
    expect(await publisher.publishRetries([{ parsed, failure: { ...failure, tier: 0, partition: 5 } }])).toBe(9);
    expect(pauses).toEqual([100, 200, 400, 800, 1_000, 1_000, 1_000, 1_000]);
    expect(errors).toHaveLength(8);
    expect(new Set(written.map(({ messages }) => messages[0]?.value))).toEqual(new Set([parsed.record.value]));
  });

  it("writes only our own headers to a retry topic if the record's headers are too large for it", async () => {
    const { publisher, written, messages, pauses } = createTestPublisher(tooLarge, 3);
    expect(await publisher.publishRetries([{ parsed, failure: { ...failure, tier: 0, partition: 5 } }])).toBe(3);
    const [, bare] = messages();
    expect(bare?.headers).not.toHaveProperty("trace");
    expect(headersOf(bare)).toMatchObject({ "gainstream-attempts": "2", "gainstream-id": source.id });
    expect(bare?.value).toBe(parsed.record.value);
    expect(written[1]?.partition).toBe(5);
    expect(pauses).toEqual([]);
  });

  it("reports that a record is too large for a retry topic, so that it can become a dead letter", async () => {
    const { publisher, written } = createTestPublisher(tooLarge, tooLarge);
    expect(await publisher.publishRetries([{ parsed, failure: { ...failure, tier: 0, partition: 5 } }])).toBe(
      "too_large",
    );
    expect(written.map(({ topic }) => topic)).toEqual(["retry-30s", "retry-30s"]);
  });

  it("shrinks a dead letter that is too large: bare headers first, then a reference without the value", async () => {
    const { publisher, messages } = createTestPublisher(tooLarge, tooLarge, 1);
    expect(await publisher.publishDeadLetter(parsed, { ...failure, reason: "rejected" })).toBe(true);
    const [whole, bare, reference] = messages();
    expect([whole, bare].map((message) => message?.value)).toEqual([parsed.record.value, parsed.record.value]);
    expect(bare?.headers).not.toHaveProperty("trace");
    expect(reference?.key).toBe(parsed.record.key);
    expect(reference?.value).toHaveLength(0);
    expect(reference?.value).not.toBeNull();
    expect(headersOf(reference)).toMatchObject({
      "gainstream-reason": "too_large",
      "gainstream-error": "rejected: It failed",
      "gainstream-id": source.id,
    });
  });

  it("compresses a record that is too large, more and more, before it removes anything", async () => {
    const { publisher, written, pauses } = createPublisherWith(["none", "gzip", "zstd"], [tooLarge, tooLarge, 3]);
    expect(await publisher.publishRetries([{ parsed, failure: { ...failure, tier: 0, partition: 5 } }])).toBe(3);
    expect(written.map(({ compression }) => compression)).toEqual(["none", "gzip", "zstd"]);
    expect(new Set(written.map(({ messages }) => messages[0])).size).toBe(1);
    expect(pauses).toEqual([]);
  });

  it("returns too_large only if no codec makes the record fit, and keeps a dead letter's value if one does", async () => {
    const { publisher, written, messages } = createPublisherWith(
      ["none", "gzip"],
      [tooLarge, tooLarge, tooLarge, tooLarge, tooLarge, 1],
    );
    const retryRecord = { parsed, failure: { ...failure, tier: 0, partition: 5 } };
    expect(await publisher.publishRetries([retryRecord])).toBe("too_large");
    expect(await publisher.publishDeadLetter(parsed, { ...failure, reason: "too_large" })).toBe(true);
    expect(written.map(({ topic, compression }) => `${topic} ${compression}`)).toEqual([
      "retry-30s none",
      "retry-30s gzip",
      "retry-30s none",
      "retry-30s gzip",
      "dlq none",
      "dlq gzip",
    ]);
    expect(messages().at(-1)?.value).toBe(parsed.record.value);
    expect(messages().at(-1)?.headers).toHaveProperty("trace");
  });

  it("compresses several records that are too large together, and returns too_large only if that does not help", async () => {
    const retryRecord = { parsed, failure: { ...failure, tier: 0, partition: 5 } };
    const fitting = createPublisherWith(["none", "gzip"], [tooLarge, 30]);
    expect(await fitting.publisher.publishRetries([retryRecord, retryRecord])).toBe(30);
    const large = createPublisherWith(["none", "gzip"], [tooLarge, tooLarge]);
    expect(await large.publisher.publishRetries([retryRecord, retryRecord])).toBe("too_large");
  });

  describe.each([
    "UNSUPPORTED_COMPRESSION_TYPE",
    "UNSUPPORTED_FOR_MESSAGE_FORMAT",
    "POLICY_VIOLATION",
    "KAFKAJS_UNKNOWN_ERROR_CODE",
  ])("if a codec is refused as %s", (type) => {
    const refused = refusedAs(type);
    const retryRecord = { parsed, failure: { ...failure, tier: 0, partition: 5 } };

    it("writes with another codec, and reports it", async () => {
      const { publisher, written, errors, codecsRefused } = createPublisherWith(["zstd", "gzip"], [refused, 3]);
      expect(await publisher.publishRetries([retryRecord])).toBe(3);
      expect(written.map(({ compression }) => compression)).toEqual(["zstd", "gzip"]);
      expect([errors, codecsRefused]).toEqual([[], ["retry-30s zstd"]]);
    });

    it("does not retry forever if a record is too large without it", async () => {
      const answers = [tooLarge, refused, tooLarge, refused, tooLarge, refused, tooLarge, refused, 3];
      const { publisher, messages, errors } = createPublisherWith(["none", "gzip"], answers);
      expect(await publisher.publishRetries([retryRecord])).toBe("too_large");
      expect(await publisher.publishDeadLetter(parsed, { ...failure, reason: "too_large" })).toBe(true);
      expect(messages().at(-1)?.value).toHaveLength(0);
      expect(errors).toEqual([]);
    });

    it("keeps retrying if nothing was compressed: then the codec is not the cause", async () => {
      const { publisher, errors, codecsRefused } = createPublisherWith(["none", "gzip"], [refused, refused, 3]);
      expect(await publisher.publishRetries([retryRecord])).toBe(3);
      expect([errors, codecsRefused]).toEqual([[refused, refused], []]);
    });
  });

  it("never counts an unwritten dead letter as safe: its last variant is retried", async () => {
    const { publisher, messages, errors } = createTestPublisher(tooLarge, tooLarge, tooLarge, tooLarge, 4);
    expect(await publisher.publishDeadLetter(parsed, failure)).toBe(true);
    expect(messages().map(({ value }) => value?.length)).toEqual([4, 4, 0, 0, 0]);
    expect(errors).toEqual([tooLarge, tooLarge]);
  });

  it("recognizes the broker's error inside another error", async () => {
    const wrapped = new KafkaJSNumberOfRetriesExceeded(tooLarge, { retryCount: 1, retryTime: 1 });
    const { publisher } = createTestPublisher(wrapped, wrapped);
    expect(await publisher.publishRetries([{ parsed, failure: { ...failure, tier: 0, partition: 5 } }])).toBe(
      "too_large",
    );
  });

  it("keeps retrying the smaller variant if the broker fails in between", async () => {
    const { publisher, messages } = createTestPublisher(broken, tooLarge, broken, 4);
    expect(await publisher.publishRetries([{ parsed, failure: { ...failure, tier: 0, partition: 5 } }])).toBe(4);
    expect(messages().map((message) => "trace" in (message.headers ?? {}))).toEqual([true, true, false, false]);
  });

  it("writes a record without key or value as it is", async () => {
    const { publisher, messages } = createTestPublisher();
    const record = { ...parsed.record, key: null, value: null };
    await publisher.publishDeadLetter({ ...parsed, record }, failure);
    expect(messages()[0]).toMatchObject({ key: null, value: null });
  });

  it("ends at stop: a write in flight is not repeated, and no other is started", async () => {
    const { publisher, written, errors } = createTestPublisher();
    publisher.stop();
    expect(
      await publisher.publishRetries([{ parsed, failure: { ...failure, tier: 0, partition: 5 } }]),
    ).toBeUndefined();
    expect(await publisher.publishDeadLetter(parsed, failure)).toBe(false);
    expect([written, errors]).toEqual([[], []]);
  });

  it("resolves as not written if stop comes between two attempts", async () => {
    const publisher: RetryPublisher = new RetryPublisher({
      producers: { write: () => Promise.reject(broken) },
      retryTopics: ["retry-30s"],
      deadLetterTopic: "dlq",
      compressions: ["none"],
      random: () => 0.5,
      pause: async () => publisher.stop(),
      onWriteFailed: () => {},
      onWriteEnded: () => {},
      onTimestampRefused: () => {},
      onCodecRefused: () => {},
    });
    expect(
      await publisher.publishRetries([{ parsed, failure: { ...failure, tier: 0, partition: 5 } }]),
    ).toBeUndefined();
  });

  it("gives up a write that is no longer wanted: its assignment has ended, and another owner processes the record", async () => {
    const { publisher, written, errors } = createTestPublisher(broken, broken, 1);
    const isWanted = () => errors.length < 2;
    expect(
      await publisher.publishRetries([{ parsed, failure: { ...failure, tier: 0, partition: 5 } }], isWanted),
    ).toBeUndefined();
    expect(await publisher.publishDeadLetter(parsed, failure, isWanted)).toBe(false);
    expect(written).toHaveLength(2);
  });

  it("resolves as written if the acknowledgement comes during stop", async () => {
    const publisher: RetryPublisher = new RetryPublisher({
      producers: {
        write: async () => {
          publisher.stop();
          return 5;
        },
      },
      retryTopics: ["retry-30s"],
      deadLetterTopic: "dlq",
      compressions: ["none"],
      random: () => 0.5,
      pause: async () => {},
      onWriteFailed: () => {},
      onWriteEnded: () => {},
      onTimestampRefused: () => {},
      onCodecRefused: () => {},
    });
    expect(await publisher.publishDeadLetter(parsed, failure)).toBe(true);
  });

  it("reports the end of a write that failed: acknowledged, no longer wanted, or stopped", async () => {
    const retryRecord = { parsed, failure: { ...failure, tier: 0, partition: 5 } };
    const acknowledged = createTestPublisher(broken, 1);
    await acknowledged.publisher.publishRetries([retryRecord]);
    const unwanted = createTestPublisher(broken);
    await unwanted.publisher.publishDeadLetter(parsed, failure, () => unwanted.errors.length === 0);
    for (const { errors, waiting } of [acknowledged, unwanted]) expect([errors.length, waiting.size]).toEqual([1, 0]);
  });

  it("writes without a timestamp if Kafka refuses this machine's: an old one could be removed before it is due", async () => {
    const { publisher, messages, pauses, errors, clocksRefused } = createTestPublisher(refusedTime, 8);
    expect(await publisher.publishRetries([{ parsed, failure: { ...failure, tier: 0, partition: 5 } }])).toBe(8);
    expect(messages().map(({ timestamp }) => timestamp)).toEqual([undefined, "-1"]);
    expect([pauses, errors, clocksRefused]).toEqual([[], [], ["retry-30s"]]);
  });

  it("keeps the timestamp that Kafka accepts when the record has to be shortened", async () => {
    const { publisher, messages } = createTestPublisher(refusedTime, tooLarge, 8);
    expect(await publisher.publishDeadLetter(parsed, failure)).toBe(true);
    expect(messages().map(({ timestamp }) => timestamp)).toEqual([undefined, "-1", "-1"]);
  });

  it("keeps retrying, and reports it, if Kafka refuses even a record without a timestamp", async () => {
    const { publisher, errors } = createTestPublisher(refusedTime, refusedTime, 8);
    expect(await publisher.publishDeadLetter(parsed, failure)).toBe(true);
    expect(errors).toEqual([refusedTime]);
  });

  it.each([
    ["a TypeError", new TypeError("x is undefined")],
    [
      "a RangeError that kafkajs wraps",
      new KafkaJSNumberOfRetriesExceeded(new RangeError("y"), { retryCount: 1, retryTime: 1 }),
    ],
  ])("fails with %s that repeats: no retry fixes a programming error", async (_, error) => {
    const { publisher, written, waiting } = createTestPublisher(error, error, error, error, error);
    await expect(publisher.publishDeadLetter(parsed, failure)).rejects.toBe(error);
    expect([written.length, waiting.size]).toEqual([5, 0]);
  });

  it("tolerates a TypeError between other failures: kafkajs throws one when a broker goes away", async () => {
    const race = new TypeError("Cannot read properties of undefined (reading 'nodeId')");
    const { publisher } = createTestPublisher(broken, race, broken, race, 4);
    expect(await publisher.publishDeadLetter(parsed, failure)).toBe(true);
  });

  it.each([
    ["of kafkajs", new KafkaJSConnectionError("Closed connection")],
    ["of the network", Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" })],
    ["a plain one, as kafkajs throws it", new Error("Broker not connected")],
  ])("keeps retrying after errors %s", async (_, error) => {
    const { publisher, errors } = createTestPublisher(error, error, error, 4);
    expect(await publisher.publishDeadLetter(parsed, failure)).toBe(true);
    expect(errors).toHaveLength(3);
  });
});
