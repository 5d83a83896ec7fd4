import { expect, it } from "vitest";

import { type WaitingWrite, Writes } from "../../../src/kafka/publish/producer-health.ts";

/** Writes whose clock is in the hands of the test. */
const createWorld = () => {
  const timers: { readonly at: number; readonly callback: () => void }[] = [];
  const told: string[] = [];
  let now = 0;
  const writes = new Writes({
    now: () => now,
    schedule: (delayMs, callback) => void timers.push({ at: now + delayMs, callback }),
    explain: (topic, error) => `${topic} says ${(error as Error).message}`,
    onFailure: ({ topic, error }) => void told.push(`failure of ${topic}: ${error}`),
    onMissing: (topic) => void told.push(`missing ${topic}`),
    onHold: ({ isHeld, error, heldMs }) => void told.push(isHeld ? `held: ${error}` : `ended after ${heldMs} ms`),
  });
  const pass = (ms: number): void => {
    now += ms;
    for (const { callback } of timers.splice(0).filter(({ at, callback: later }) => {
      if (at > now) timers.push({ at, callback: later });
      return at <= now;
    }))
      callback();
  };
  const holds = (): string[] => told.filter((line) => /^(?:held|ended)/.test(line));
  return { writes, told, holds, pass };
};

const refused = new Error("NO");
const to = (topic: string): WaitingWrite => ({ topic });

it("a write that fails and is acknowledged soon is no hold, but every failure counts", () => {
  const { writes, told, pass } = createWorld();
  const write = to("retry-30s");
  writes.failed(write, refused);
  pass(1_000);
  writes.failed(write, refused);
  pass(1_900);
  writes.ended(write);
  pass(60_000);
  expect(told).toEqual(Array.from({ length: 2 }, () => "failure of retry-30s: retry-30s says NO"));
  expect(writes.isHeld).toBe(false);
});

it("a write that still fails after a moment is a hold, named once, until it is acknowledged", () => {
  const { writes, holds, pass } = createWorld();
  const write = to("dlq");
  writes.failed(write, refused);
  pass(3_000);
  expect(writes.isHeld).toBe(true);
  writes.failed(write, refused);
  pass(5_000);
  writes.ended(write);
  expect([writes.isHeld, holds()]).toEqual([false, ["held: Cannot write to dlq: dlq says NO", "ended after 5000 ms"]]);
});

it("a hold names every topic with its newest reason, and lasts as long as one write waits", () => {
  const { writes, holds, pass } = createWorld();
  const [first, second, third] = [to("dlq"), to("retry-30s"), to("dlq")];
  for (const write of [first, second, third]) writes.failed(write, refused);
  writes.failed(third, new Error("NEVER"));
  pass(3_000);
  writes.ended(first);
  writes.ended(third);
  expect(writes.isHeld).toBe(true);
  writes.ended(second);
  expect(holds()).toEqual(["held: Cannot write to dlq: dlq says NO", "ended after 0 ms"]);
});

it("acknowledged writes to one partition do not hide that another refuses", () => {
  const { writes, pass } = createWorld();
  const stuck = to("retry-30s");
  writes.failed(stuck, refused);
  for (let second = 0; second < 10; second++) {
    const fine = to("retry-30s");
    writes.failed(fine, refused);
    pass(1_000);
    writes.ended(fine);
  }
  expect(writes.isHeld).toBe(true);
});

it("tells that a topic is missing, wherever kafkajs hides it", () => {
  const { writes, told } = createWorld();
  const missing = Object.assign(new Error("Unknown"), { type: "UNKNOWN_TOPIC_OR_PARTITION" });
  writes.failed(to("dlq"), new Error("Retries", { cause: missing }));
  writes.failed(to("retry-30s"), refused);
  expect(told.filter((line) => line.startsWith("missing"))).toEqual(["missing dlq"]);
});
