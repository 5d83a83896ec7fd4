import type { Message } from "kafkajs";
import { KafkaJSConnectionError, KafkaJSNumberOfRetriesExceeded, KafkaJSProtocolError } from "kafkajs";
import { describe, expect, it } from "vitest";

import { type Failure, originOf } from "../../../src/core/outcome/headers.ts";
import type { Arrival } from "../../../src/core/parsed-record.ts";
import type { Compression } from "../../../src/kafka/codecs/codecs.ts";
import type { Write } from "../../../src/kafka/publish/producers.ts";
import { Settler } from "../../../src/kafka/publish/retry-publisher.ts";

const origin = originOf({ topic: "segment-events", partition: 4, offset: "42", timestamp: 1_700_000_000_000 });
const failure: Failure = { origin, reason: "server_error", error: "It failed", attempts: 2, firstFailedAt: undefined };

const arrival: Arrival = {
  record: {
    key: Buffer.from("u1"),
    value: Buffer.from([0, 1, 2, 255]),
    headers: { trace: Buffer.from([7, 255]), "gainstream-attempts": "1" },
    timestamp: 1_700_000_000_000,
  },
  user: "u1",
  type: "track",
  meaning: { kind: "call", call: "track", body: Buffer.from("{}") },
  past: { origin, attempts: 1, firstFailedAt: undefined },
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

/** Producers that answer each write in turn: with an error, or the offset it was written at; then always 7. */
const createSettlerWith = (compressions: readonly Compression[], answers: (Error | number)[]) => {
  const written: Write[] = [];
  const pauses: number[] = [];
  const errors: unknown[] = [];
  const clocksRefused: string[] = [];
  const codecsRefused: string[] = [];
  const waiting = new Set<object>();
  const settler: Settler = new Settler({
    producers: {
      write: async (write) => {
        written.push(write);
        const answer = answers.shift() ?? 7;
        if (answer instanceof Error) throw answer;
        return answer;
      },
    },
    tiers: ["retry-30s", "retry-5m"],
    deadLetterTopic: "dlq",
    compressions,
    random: () => 0.5,
    pause: async (ms) => void pauses.push(ms),
    onFailed: (write, error) => {
      waiting.add(write);
      errors.push(error);
    },
    onEnded: (write) => void waiting.delete(write),
    onClockRefused: (topic) => void clocksRefused.push(topic),
    onCodecRefused: (topic, codec) => void codecsRefused.push(`${topic} ${codec}`),
  });
  const messages = (): Message[] => written.flatMap((write) => write.messages);
  return { settler, written, messages, pauses, errors, waiting, clocksRefused, codecsRefused };
};

const createTestSettler = (...answers: (Error | number)[]) => createSettlerWith(["none"], answers);

const headersOf = (message: Message | undefined): Record<string, string> =>
  Object.fromEntries(Object.entries(message?.headers ?? {}).map(([name, value]) => [name, String(value)]));

describe("settler", () => {
  it("writes a record to its tier on the partition number it was read from", async () => {
    const { settler, written } = createTestSettler(123);
    expect(await settler.retry([{ arrival, failure: { ...failure, tier: 1, partition: 5 } }])).toBe(123);
    expect(written).toMatchObject([{ topic: "retry-5m", partition: 5 }]);
  });

  it("writes several records of a user in one request, in order", async () => {
    const { settler, written, messages } = createTestSettler(40);
    const moves = ["a", "b", "c"].map((key) => ({
      arrival: { ...arrival, record: { ...arrival.record, key: Buffer.from(key) } },
      failure: { ...failure, tier: 0, partition: 5 },
    }));
    expect(await settler.retry(moves)).toBe(40);
    expect(written).toHaveLength(1);
    expect(written[0]?.partition).toBe(5);
    expect(messages().map(({ key }) => String(key))).toEqual(["a", "b", "c"]);
  });

  it("says that several records are too large together, so that they can go one by one", async () => {
    const { settler, written } = createTestSettler(tooLarge, 1);
    const move = { arrival, failure: { ...failure, tier: 0, partition: 5 } };
    expect(await settler.retry([move, move])).toBe("too_large");
    expect(written).toHaveLength(1);
  });

  it("leaves key, value and foreign headers as they are, and replaces ours", async () => {
    const { settler, messages } = createTestSettler();
    await settler.retry([{ arrival, failure: { ...failure, tier: 0, partition: 5 } }]);
    const [message] = messages();
    expect(message?.key).toBe(arrival.record.key);
    expect(message?.value).toBe(arrival.record.value);
    expect(message?.headers?.["trace"]).toBe(arrival.record.headers["trace"]);
    expect(headersOf(message)).toMatchObject({
      "gainstream-attempts": "2",
      "gainstream-reason": "server_error",
      "gainstream-id": "segment-events-4-42",
    });
  });

  it("leaves the partition of a dead letter to the key, and adds the names that other viewers know", async () => {
    const { settler, written, messages } = createTestSettler();
    expect(await settler.dead(arrival, { ...failure, reason: "rejected" })).toBe(true);
    expect(written).toMatchObject([{ topic: "dlq" }]);
    expect(written[0]).not.toHaveProperty("partition");
    expect(headersOf(messages()[0])).toMatchObject({
      "gainstream-reason": "rejected",
      "__connect.errors.topic": "segment-events",
      "__connect.errors.offset": "42",
    });
  });

  it("tries until the write is acknowledged, with growing pauses, and tells of every failure", async () => {
    const failures = Array.from({ length: 8 }, () => broken);
    const { settler, written, pauses, errors } = createTestSettler(...failures, 9);
    expect(await settler.retry([{ arrival, failure: { ...failure, tier: 0, partition: 5 } }])).toBe(9);
    expect(pauses).toEqual([100, 200, 400, 800, 1_000, 1_000, 1_000, 1_000]);
    expect(errors).toHaveLength(8);
    expect(new Set(written.map(({ messages }) => messages[0]?.value))).toEqual(new Set([arrival.record.value]));
  });

  it("writes only our own headers to a tier where the record's own are too large for the topic", async () => {
    const { settler, written, messages, pauses } = createTestSettler(tooLarge, 3);
    expect(await settler.retry([{ arrival, failure: { ...failure, tier: 0, partition: 5 } }])).toBe(3);
    const [, bare] = messages();
    expect(bare?.headers).not.toHaveProperty("trace");
    expect(headersOf(bare)).toMatchObject({ "gainstream-attempts": "2", "gainstream-id": origin.id });
    expect(bare?.value).toBe(arrival.record.value);
    expect(written[1]?.partition).toBe(5);
    expect(pauses).toEqual([]);
  });

  it("says that a record is too large for a tier, so that it can become a dead letter", async () => {
    const { settler, written } = createTestSettler(tooLarge, tooLarge);
    expect(await settler.retry([{ arrival, failure: { ...failure, tier: 0, partition: 5 } }])).toBe("too_large");
    expect(written.map(({ topic }) => topic)).toEqual(["retry-30s", "retry-30s"]);
  });

  it("shrinks a dead letter that is too large: bare headers first, then a reference without the value", async () => {
    const { settler, messages } = createTestSettler(tooLarge, tooLarge, 1);
    expect(await settler.dead(arrival, { ...failure, reason: "rejected" })).toBe(true);
    const [whole, bare, reference] = messages();
    expect([whole, bare].map((message) => message?.value)).toEqual([arrival.record.value, arrival.record.value]);
    expect(bare?.headers).not.toHaveProperty("trace");
    expect(reference?.key).toBe(arrival.record.key);
    expect(reference?.value).toHaveLength(0);
    expect(reference?.value).not.toBeNull();
    expect(headersOf(reference)).toMatchObject({
      "gainstream-reason": "too_large",
      "gainstream-error": "rejected: It failed",
      "gainstream-id": origin.id,
    });
  });

  it("compresses what is too large, more and more, before it takes anything away", async () => {
    const { settler, written, pauses } = createSettlerWith(["none", "gzip", "zstd"], [tooLarge, tooLarge, 3]);
    expect(await settler.retry([{ arrival, failure: { ...failure, tier: 0, partition: 5 } }])).toBe(3);
    expect(written.map(({ compression }) => compression)).toEqual(["none", "gzip", "zstd"]);
    expect(new Set(written.map(({ messages }) => messages[0])).size).toBe(1);
    expect(pauses).toEqual([]);
  });

  it("is too large only if no codec makes it fit, and a dead letter keeps its value if one does", async () => {
    const { settler, written, messages } = createSettlerWith(
      ["none", "gzip"],
      [tooLarge, tooLarge, tooLarge, tooLarge, tooLarge, 1],
    );
    const move = { arrival, failure: { ...failure, tier: 0, partition: 5 } };
    expect(await settler.retry([move])).toBe("too_large");
    expect(await settler.dead(arrival, { ...failure, reason: "too_large" })).toBe(true);
    expect(written.map(({ topic, compression }) => `${topic} ${compression}`)).toEqual([
      "retry-30s none",
      "retry-30s gzip",
      "retry-30s none",
      "retry-30s gzip",
      "dlq none",
      "dlq gzip",
    ]);
    expect(messages().at(-1)?.value).toBe(arrival.record.value);
    expect(messages().at(-1)?.headers).toHaveProperty("trace");
  });

  it("compresses several records that are too large together, and says so only if that does not do", async () => {
    const move = { arrival, failure: { ...failure, tier: 0, partition: 5 } };
    const fitting = createSettlerWith(["none", "gzip"], [tooLarge, 30]);
    expect(await fitting.settler.retry([move, move])).toBe(30);
    const large = createSettlerWith(["none", "gzip"], [tooLarge, tooLarge]);
    expect(await large.settler.retry([move, move])).toBe("too_large");
  });

  describe.each([
    "UNSUPPORTED_COMPRESSION_TYPE",
    "UNSUPPORTED_FOR_MESSAGE_FORMAT",
    "POLICY_VIOLATION",
    "KAFKAJS_UNKNOWN_ERROR_CODE",
  ])("where a codec is refused as %s", (type) => {
    const refused = refusedAs(type);
    const move = { arrival, failure: { ...failure, tier: 0, partition: 5 } };

    it("writes by another one, and says so", async () => {
      const { settler, written, errors, codecsRefused } = createSettlerWith(["zstd", "gzip"], [refused, 3]);
      expect(await settler.retry([move])).toBe(3);
      expect(written.map(({ compression }) => compression)).toEqual(["zstd", "gzip"]);
      expect([errors, codecsRefused]).toEqual([[], ["retry-30s zstd"]]);
    });

    it("does not wait for ever with a record that is too large without it", async () => {
      const answers = [tooLarge, refused, tooLarge, refused, tooLarge, refused, tooLarge, refused, 3];
      const { settler, messages, errors } = createSettlerWith(["none", "gzip"], answers);
      expect(await settler.retry([move])).toBe("too_large");
      expect(await settler.dead(arrival, { ...failure, reason: "too_large" })).toBe(true);
      expect(messages().at(-1)?.value).toHaveLength(0);
      expect(errors).toEqual([]);
    });

    it("tries on if nothing was compressed: then it is not about a codec", async () => {
      const { settler, errors, codecsRefused } = createSettlerWith(["none", "gzip"], [refused, refused, 3]);
      expect(await settler.retry([move])).toBe(3);
      expect([errors, codecsRefused]).toEqual([[refused, refused], []]);
    });
  });

  it("counts no dead letter as safe that was not written: the last form of it is tried on", async () => {
    const { settler, messages, errors } = createTestSettler(tooLarge, tooLarge, tooLarge, tooLarge, 4);
    expect(await settler.dead(arrival, failure)).toBe(true);
    expect(messages().map(({ value }) => value?.length)).toEqual([4, 4, 0, 0, 0]);
    expect(errors).toEqual([tooLarge, tooLarge]);
  });

  it("sees through an error that wraps the one of the broker", async () => {
    const wrapped = new KafkaJSNumberOfRetriesExceeded(tooLarge, { retryCount: 1, retryTime: 1 });
    const { settler } = createTestSettler(wrapped, wrapped);
    expect(await settler.retry([{ arrival, failure: { ...failure, tier: 0, partition: 5 } }])).toBe("too_large");
  });

  it("goes on trying with the smaller variant where the broker fails in between", async () => {
    const { settler, messages } = createTestSettler(broken, tooLarge, broken, 4);
    expect(await settler.retry([{ arrival, failure: { ...failure, tier: 0, partition: 5 } }])).toBe(4);
    expect(messages().map((message) => "trace" in (message.headers ?? {}))).toEqual([true, true, false, false]);
  });

  it("writes a record without key or value as it is", async () => {
    const { settler, messages } = createTestSettler();
    const record = { ...arrival.record, key: null, value: null };
    await settler.dead({ ...arrival, record }, failure);
    expect(messages()[0]).toMatchObject({ key: null, value: null });
  });

  it("ends on stop: a write under way is not repeated, and none is begun", async () => {
    const { settler, written, errors } = createTestSettler();
    settler.stop();
    expect(await settler.retry([{ arrival, failure: { ...failure, tier: 0, partition: 5 } }])).toBeUndefined();
    expect(await settler.dead(arrival, failure)).toBe(false);
    expect([written, errors]).toEqual([[], []]);
  });

  it("resolves as not written where it is stopped between two attempts", async () => {
    const settler: Settler = new Settler({
      producers: { write: () => Promise.reject(broken) },
      tiers: ["retry-30s"],
      deadLetterTopic: "dlq",
      compressions: ["none"],
      random: () => 0.5,
      pause: async () => settler.stop(),
      onFailed: () => {},
      onEnded: () => {},
      onClockRefused: () => {},
      onCodecRefused: () => {},
    });
    expect(await settler.retry([{ arrival, failure: { ...failure, tier: 0, partition: 5 } }])).toBeUndefined();
  });

  it("ends a write that nobody wants any more: its assignment has gone, and another owner does the record", async () => {
    const { settler, written, errors } = createTestSettler(broken, broken, 1);
    const isWanted = () => errors.length < 2;
    expect(
      await settler.retry([{ arrival, failure: { ...failure, tier: 0, partition: 5 } }], isWanted),
    ).toBeUndefined();
    expect(await settler.dead(arrival, failure, isWanted)).toBe(false);
    expect(written).toHaveLength(2);
  });

  it("says that a write is safe which was acknowledged while it was being stopped", async () => {
    const settler: Settler = new Settler({
      producers: {
        write: async () => {
          settler.stop();
          return 5;
        },
      },
      tiers: ["retry-30s"],
      deadLetterTopic: "dlq",
      compressions: ["none"],
      random: () => 0.5,
      pause: async () => {},
      onFailed: () => {},
      onEnded: () => {},
      onClockRefused: () => {},
      onCodecRefused: () => {},
    });
    expect(await settler.dead(arrival, failure)).toBe(true);
  });

  it("tells when a write that failed is over: acknowledged, not wanted any more, or stopped", async () => {
    const move = { arrival, failure: { ...failure, tier: 0, partition: 5 } };
    const acknowledged = createTestSettler(broken, 1);
    await acknowledged.settler.retry([move]);
    const unwanted = createTestSettler(broken);
    await unwanted.settler.dead(arrival, failure, () => unwanted.errors.length === 0);
    for (const { errors, waiting } of [acknowledged, unwanted]) expect([errors.length, waiting.size]).toEqual([1, 0]);
  });

  it("writes without a time if Kafka refuses that of this machine: an old one could be removed before it is due", async () => {
    const { settler, messages, pauses, errors, clocksRefused } = createTestSettler(refusedTime, 8);
    expect(await settler.retry([{ arrival, failure: { ...failure, tier: 0, partition: 5 } }])).toBe(8);
    expect(messages().map(({ timestamp }) => timestamp)).toEqual([undefined, "-1"]);
    expect([pauses, errors, clocksRefused]).toEqual([[], [], ["retry-30s"]]);
  });

  it("keeps the time that Kafka takes when the record has to be shortened", async () => {
    const { settler, messages } = createTestSettler(refusedTime, tooLarge, 8);
    expect(await settler.dead(arrival, failure)).toBe(true);
    expect(messages().map(({ timestamp }) => timestamp)).toEqual([undefined, "-1", "-1"]);
  });

  it("goes on trying, and says so, if Kafka refuses even a record without a time", async () => {
    const { settler, errors } = createTestSettler(refusedTime, refusedTime, 8);
    expect(await settler.dead(arrival, failure)).toBe(true);
    expect(errors).toEqual([refusedTime]);
  });

  it.each([
    ["a TypeError", new TypeError("x is undefined")],
    [
      "a RangeError that kafkajs wraps",
      new KafkaJSNumberOfRetriesExceeded(new RangeError("y"), { retryCount: 1, retryTime: 1 }),
    ],
  ])("ends with %s that comes again and again: no attempt mends a mistake of ours", async (_, error) => {
    const { settler, written, waiting } = createTestSettler(error, error, error, error, error);
    await expect(settler.dead(arrival, failure)).rejects.toBe(error);
    expect([written.length, waiting.size]).toEqual([5, 0]);
  });

  it("forgives a TypeError between other failures: kafkajs throws one when a broker goes", async () => {
    const race = new TypeError("Cannot read properties of undefined (reading 'nodeId')");
    const { settler } = createTestSettler(broken, race, broken, race, 4);
    expect(await settler.dead(arrival, failure)).toBe(true);
  });

  it.each([
    ["of kafkajs", new KafkaJSConnectionError("Closed connection")],
    ["of the network", Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" })],
    ["a plain one, as kafkajs throws it", new Error("Broker not connected")],
  ])("tries on after errors %s", async (_, error) => {
    const { settler, errors } = createTestSettler(error, error, error, 4);
    expect(await settler.dead(arrival, failure)).toBe(true);
    expect(errors).toHaveLength(3);
  });
});
