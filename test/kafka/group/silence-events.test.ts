import { EventEmitter } from "node:events";

import type { Consumer } from "kafkajs";
import { describe, expect, it } from "vitest";

import { tellSigns } from "../../../src/kafka/group/silence-events.ts";
import { Silence } from "../../../src/kafka/group/silence.ts";

const limitMs = 180_000;

/** A consumer that has joined and fetched once from broker 1; the cluster answers one kind of question for twice the limit. */
const sentenceAfter = (apiName: string): string | undefined => {
  let now = 0;
  const silence = new Silence({ limitMs, now: () => now });
  const emitter = new EventEmitter();
  const events = { FETCH_START: "fetch start", FETCH: "fetch", GROUP_JOIN: "join", REQUEST: "request" };
  const consumer = { events, on: (name: string, listen: () => void) => emitter.on(name, listen) };
  tellSigns(consumer as unknown as Consumer, silence);
  emitter.emit("join", { payload: {} });
  emitter.emit("fetch start", { payload: { nodeId: 1 } });
  emitter.emit("fetch", { payload: { nodeId: 1 } });
  for (; now < 2 * limitMs; now += 1_000) {
    emitter.emit("request", { payload: { apiName } });
    silence.check(["1"]);
  }
  return silence.sentence;
};

describe("tellSigns", () => {
  it("takes no fetch for silent while the group's broker is being looked for: fetches wait for it in their heartbeats", () => {
    expect(sentenceAfter("GroupCoordinator")).toBeUndefined();
  });

  it.each([
    ["Heartbeat", "no fetch by broker 1"],
    ["Metadata", "no heartbeat"],
  ])("tells the silence of a consumer that is answered nothing but %s", (apiName, expected) => {
    expect(sentenceAfter(apiName)).toContain(expected);
  });
});
