import { expect, it } from "vitest";

import { Writes } from "../../src/kafka/writes.ts";

const createWorld = () => {
  let now = 1_000_000;
  const writes = new Writes(() => now);
  const pass = (ms: number): void => void (now += ms);
  return { writes, pass };
};

it("writes are not in trouble before there are any, and while they are acknowledged soon", async () => {
  const { writes, pass } = createWorld();
  expect(writes.areInTrouble).toBe(false);
  const answer = writes.watch(() => Promise.resolve("written"));
  pass(4_999);
  expect(writes.areInTrouble).toBe(false);
  expect(await answer).toBe("written");
  pass(60_000);
  expect(writes.areInTrouble).toBe(false);
});

it("a write that failed is trouble for 30 s, and its error is handed on", async () => {
  const { writes, pass } = createWorld();
  await expect(writes.watch(() => Promise.reject(new Error("NOT_ENOUGH_REPLICAS")))).rejects.toThrow(
    "NOT_ENOUGH_REPLICAS",
  );
  pass(29_999);
  expect(writes.areInTrouble).toBe(true);
  pass(1);
  expect(writes.areInTrouble).toBe(false);
});

it("a write that waits for long is trouble until it is acknowledged, whatever younger ones do", async () => {
  const { writes, pass } = createWorld();
  const { promise, resolve } = Promise.withResolvers<void>();
  const waiting = writes.watch(() => promise);
  await writes.watch(() => Promise.resolve());
  pass(5_000);
  expect(writes.areInTrouble).toBe(true);
  resolve();
  await waiting;
  expect(writes.areInTrouble).toBe(false);
});

it("a write that is never answered is no trouble of Kafka's after an hour: it hangs in this process", () => {
  const { writes, pass } = createWorld();
  void writes.watch(() => new Promise<void>(() => {}));
  pass(3_600_000);
  expect(writes.areInTrouble).toBe(false);
});
