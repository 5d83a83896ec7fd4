import { EventEmitter } from "node:events";

import type { Consumer } from "kafkajs";
import { describe, expect, it } from "vitest";

import { attachWatchdog } from "../../../src/kafka/group/attach-watchdog.ts";
import { ConsumerWatchdog } from "../../../src/kafka/group/consumer-watchdog.ts";

const limitMs = 180_000;

/** A consumer that has joined and fetched once from broker 1. For twice the limit, the cluster answers only one kind of request. */
const sentenceAfter = (apiName: string): string | undefined => {
  let now = 0;
  const watchdog = new ConsumerWatchdog({ timeoutMs: limitMs, monotonicNow: () => now });
  const emitter = new EventEmitter();
  const events = { FETCH_START: "fetch start", FETCH: "fetch", GROUP_JOIN: "join", REQUEST: "request" };
  const consumer = { events, on: (name: string, listen: () => void) => emitter.on(name, listen) };
  attachWatchdog(consumer as unknown as Consumer, watchdog);
  emitter.emit("join", { payload: {} });
  emitter.emit("fetch start", { payload: { nodeId: 1 } });
  emitter.emit("fetch", { payload: { nodeId: 1 } });
  for (; now < 2 * limitMs; now += 1_000) {
    emitter.emit("request", { payload: { apiName } });
    watchdog.check(["1"]);
  }
  return watchdog.problem;
};

describe("attachWatchdog", () => {
  it("reports no missing fetch during a lookup of the coordinator: fetches wait for it in their heartbeats", () => {
    expect(sentenceAfter("GroupCoordinator")).toBeUndefined();
  });

  it.each([
    ["Heartbeat", "no fetch from broker 1"],
    ["Metadata", "no heartbeat"],
  ])("reports a consumer that gets answers only to %s", (apiName, expected) => {
    expect(sentenceAfter(apiName)).toContain(expected);
  });
});
