import { expect, it } from "vitest";

import { type PendingWrite, ProducerHealth } from "../../../src/kafka/publish/producer-health.ts";

/** A producer health whose clock the test controls. */
const createWorld = () => {
  const timers: { readonly at: number; readonly callback: () => void }[] = [];
  const events: string[] = [];
  let now = 0;
  const health = new ProducerHealth({
    monotonicNow: () => now,
    schedule: (delayMs, callback) => void timers.push({ at: now + delayMs, callback }),
    explain: (topic, error) => `${topic} says ${(error as Error).message}`,
    onFailure: ({ topic, error }) => void events.push(`failure of ${topic}: ${error}`),
    onMissing: (topic) => void events.push(`missing ${topic}`),
    onHold: ({ isHeld, error, heldMs }) => void events.push(isHeld ? `held: ${error}` : `ended after ${heldMs} ms`),
  });
  const pass = (ms: number): void => {
    now += ms;
    for (const { callback } of timers.splice(0).filter(({ at, callback: pending }) => {
      if (at > now) timers.push({ at, callback: pending });
      return at <= now;
    }))
      callback();
  };
  const holds = (): string[] => events.filter((line) => /^(?:held|ended)/.test(line));
  return { health, events, holds, pass };
};

const refused = new Error("NO");
const to = (topic: string): PendingWrite => ({ topic });

it("a write that fails and is acknowledged soon causes no hold, but every failure counts", () => {
  const { health, events, pass } = createWorld();
  const write = to("retry-30s");
  health.recordFailure(write, refused);
  pass(1_000);
  health.recordFailure(write, refused);
  pass(1_900);
  health.recordEnd(write);
  pass(60_000);
  expect(events).toEqual(Array.from({ length: 2 }, () => "failure of retry-30s: retry-30s says NO"));
  expect(health.isHeld).toBe(false);
});

it("a write that still fails after 3 s causes a hold, reported once, until it is acknowledged", () => {
  const { health, holds, pass } = createWorld();
  const write = to("dlq");
  health.recordFailure(write, refused);
  pass(3_000);
  expect(health.isHeld).toBe(true);
  health.recordFailure(write, refused);
  pass(5_000);
  health.recordEnd(write);
  expect([health.isHeld, holds()]).toEqual([false, ["held: Cannot write to dlq: dlq says NO", "ended after 5000 ms"]]);
});

it("a hold names every topic with its newest reason, and lasts as long as one write waits", () => {
  const { health, holds, pass } = createWorld();
  const [first, second, third] = [to("dlq"), to("retry-30s"), to("dlq")];
  for (const write of [first, second, third]) health.recordFailure(write, refused);
  health.recordFailure(third, new Error("NEVER"));
  pass(3_000);
  health.recordEnd(first);
  health.recordEnd(third);
  expect(health.isHeld).toBe(true);
  health.recordEnd(second);
  expect(holds()).toEqual(["held: Cannot write to dlq: dlq says NO", "ended after 0 ms"]);
});

it("acknowledged writes to one partition do not hide that another partition refuses writes", () => {
  const { health, pass } = createWorld();
  const stuck = to("retry-30s");
  health.recordFailure(stuck, refused);
  for (let second = 0; second < 10; second++) {
    const fine = to("retry-30s");
    health.recordFailure(fine, refused);
    pass(1_000);
    health.recordEnd(fine);
  }
  expect(health.isHeld).toBe(true);
});

it("reports that a topic is missing, wherever kafkajs hides it", () => {
  const { health, events } = createWorld();
  const missing = Object.assign(new Error("Unknown"), { type: "UNKNOWN_TOPIC_OR_PARTITION" });
  health.recordFailure(to("dlq"), new Error("Retries", { cause: missing }));
  health.recordFailure(to("retry-30s"), refused);
  expect(events.filter((line) => line.startsWith("missing"))).toEqual(["missing dlq"]);
});
