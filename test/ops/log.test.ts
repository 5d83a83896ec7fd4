import { Kafka } from "kafkajs";
import { describe, expect, test } from "vitest";

import { createKafkaLog } from "../../src/ops/kafka-log.ts";
import type { KafkaLogEntry } from "../../src/ops/kafka-log.ts";
import { createLog } from "../../src/ops/log.ts";
import type { LogOptions } from "../../src/ops/log.ts";

const createLines = (level: LogOptions["level"]) => {
  const lines: string[] = [];
  const log = createLog({ level, destination: { write: (line) => void lines.push(line) } });
  return { log, lines, entries: () => lines.map((line) => JSON.parse(line) as Record<string, unknown>) };
};

describe("createLog()", () => {
  test("writes one JSON object with the ISO time and the name of the level, without process and host", () => {
    const { log, entries } = createLines("info");
    log.warn({ topic: "a", partition: 3 }, "Cannot deliver");
    expect(entries()).toEqual([
      { level: "warn", time: expect.stringMatching(/^\d{4}-.*Z$/), topic: "a", partition: 3, msg: "Cannot deliver" },
    ]);
  });

  test("leaves out lines below its level", () => {
    const { log, lines } = createLines("warn");
    log.info("nothing");
    expect(lines).toEqual([]);
  });

  test("masks the usual names of secrets", () => {
    const { log, lines } = createLines("info");
    log.info({ password: "hunter2", gainsight: { accessKey: "hunter2" }, headers: { authorization: "hunter2" } }, "x");
    expect(lines.join("")).not.toContain("hunter2");
  });

  test("logs an error with its code and cause, but none of its other fields", () => {
    const { log, entries, lines } = createLines("info");
    const cause = Object.assign(new TypeError("Inner"), { code: "E_INNER", request: "personal" });
    log.error({ err: new Error("Outer", { cause }) }, "Failed");
    expect(entries()[0]?.err).toMatchObject({
      type: "Error",
      message: "Outer",
      stack: expect.stringContaining("log.test.ts"),
      cause: { type: "TypeError", message: "Inner", code: "E_INNER" },
    });
    expect(lines.join("")).not.toContain("personal");
  });
});

const entry = (level: number, message: string, extra: object = {}): KafkaLogEntry => ({
  namespace: "Consumer",
  level,
  log: { message, timestamp: "t", logger: "kafkajs", ...extra },
});

describe("createKafkaLog()", () => {
  test.each<[string, string, KafkaLogEntry]>([
    ["an error", "error", entry(1, "Crash: KafkaJSError")],
    ["a warning", "warn", entry(2, "Something")],
    ["information", "info", entry(4, "Starting")],
    ["pausing", "debug", entry(4, "Pausing fetching from 2 topics")],
    ["resuming", "debug", entry(4, "Resuming fetching from 2 topics")],
    [
      "a heartbeat in a rebalance",
      "debug",
      entry(1, "Response Heartbeat(key: 12, version: 3)", { error: "The group is rebalancing, so a rejoin is needed" }),
    ],
    ["rejoining", "info", entry(2, "The group is rebalancing, re-joining")],
    [
      "the response of a broker that does not lead a partition yet",
      "info",
      entry(1, "Response ListOffsets(key: 2)", { error: "This server is not the leader for that topic-partition" }),
    ],
    [
      "the response about a new group",
      "info",
      entry(1, "Response GroupCoordinator(key: 10)", { error: "The group coordinator is not available" }),
    ],
    [
      "the response to a request that is retried",
      "warn",
      entry(1, "Response Metadata(key: 3)", { error: "No leader" }),
    ],
  ])("logs %s at %s", (_, level, logEntry) => {
    const { log, entries } = createLines("debug");
    createKafkaLog(log).logCreator()(logEntry);
    expect(entries()).toMatchObject([{ level, kafka: "Consumer", msg: logEntry.log.message }]);
  });

  test.each([
    "Not authorized to access topics: [Topic authorization failed]",
    "Not authorized to access group: Group authorization failed",
    "Cluster authorization failed",
    "The coordinator is not aware of this member",
  ])("logs the response '%s' only at debug", (error) => {
    const { log, entries } = createLines("debug");
    createKafkaLog(log).logCreator()(entry(1, "Response Fetch(key: 1, version: 11)", { error }));
    expect(entries()).toMatchObject([{ level: "debug" }]);
  });

  test("logs every line at the level that is given", () => {
    const { log, entries } = createLines("debug");
    createKafkaLog(log, "debug").logCreator()(entry(1, "Failed to send messages"));
    expect(entries()).toMatchObject([{ level: "debug", msg: "Failed to send messages" }]);
  });

  test("logs where it happened, never stacks, bytes or responses", () => {
    const { log, entries } = createLines("debug");
    const extra = {
      topic: "a",
      partition: 1,
      stack: "at x",
      payload: "bytes",
      data: { key: "bytes" },
      error: "Broken",
    };
    createKafkaLog(log).logCreator()(entry(1, "Error when calling eachBatch", extra));
    expect(entries()).toEqual([
      {
        level: "error",
        time: expect.any(String),
        kafka: "Consumer",
        topic: "a",
        partition: 1,
        error: "Broken",
        msg: "Error when calling eachBatch",
      },
    ]);
  });

  test.each<[LogOptions["level"], number]>([
    ["silent", 0],
    ["fatal", 1],
    ["error", 1],
    ["warn", 2],
    ["info", 4],
    ["debug", 5],
    ["trace", 5],
  ])("at %s it sets the level %d of kafkajs", (level, expected) => {
    expect(createKafkaLog(createLines(level).log).logLevel).toBe(expected);
  });

  test("is accepted by kafkajs", () => {
    const { log, entries } = createLines("info");
    const kafka = new Kafka({ brokers: ["127.0.0.1:1"], ...createKafkaLog(log) });
    kafka.logger().info("Hello", { groupId: "g" });
    expect(entries()).toMatchObject([{ level: "info", msg: "Hello", groupId: "g" }]);
  });
});
