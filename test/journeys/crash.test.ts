import { setTimeout as sleep } from "node:timers/promises";

import { describe } from "vitest";

import { committedOffsets, journeyKafka } from "./cluster.ts";
import { type Service, until } from "./service.ts";
import { deliveredIds, journey, patient, startOwnBroker, type Story, sum, tracks } from "./story.ts";

const users = Array.from({ length: 40 }, (_, index) => `u${index}`);
const eventsEach = 60;
const total = users.length * eventsEach;
const load = Array.from({ length: eventsEach }, (_, n) => users.flatMap((user) => tracks(user, n, 1))).flat();
const concurrency = 16;

/** Kills the service as soon as so many are delivered; gives how many were delivered in the last second or so before. */
const killAfter = async ({ standin }: Story, service: Service, count: number): Promise<number> => {
  const samples: { at: number; delivered: number }[] = [];
  while (standin.ledger().distinct < count) {
    samples.push({ at: Date.now(), delivered: standin.stats().delivered });
    await sleep(20);
  }
  await service.kill();
  const { delivered } = standin.stats();
  // Commits come every second; a quarter more for their way to the broker.
  const old = samples.findLast(({ at }) => at < Date.now() - 1_250);
  return delivered - (old?.delivered ?? 0);
};

describe.concurrent("crash", () => {
  /*
   * The process is killed with -9 under load, twice, and started again. Nothing is lost and no user's events change their
   * order. What is delivered twice is at most what was in flight and what was finished since the last commit.
   */
  journey("kill -9 under load loses nothing and duplicates at most a second's work", async ({ story, expect }) => {
    story.standin.faults.add({ kind: "latency", ms: 15, jitterMs: 30 });
    await story.produce(load);
    const env = { GAINSIGHT_CONCURRENCY: String(concurrency) };
    const service = await story.start(env);
    const recent = await killAfter(story, service, total * 0.6);
    expect(story.standin.ledger()).toMatchObject({ duplicates: 0, inversions: 0 });
    expect(story.standin.ledger().distinct).toBeLessThan(total);
    await story.start(env);
    await until("all are delivered", () => story.standin.ledger().distinct === total || undefined);
    const { duplicates, inversions } = story.standin.ledger();
    expect(inversions).toBe(0);
    expect(duplicates).toBeLessThanOrEqual(recent + concurrency);
    await expect.poll(() => story.committed().then(sum), patient).toBe(total);
  });

  /*
   * The process dies while users are parked, one of them in the second tier. The next process learns from the tiers who waits
   * for whom before it touches a source. Newcomers wait behind, other users do not, and everybody's order is kept.
   */
  journey("kill -9 while users are parked keeps their order", async ({ story, expect }) => {
    const { add } = story.standin.faults;
    add({ kind: "status", status: 500, count: 2, match: { messageId: "u1-1" } });
    add({ kind: "status", status: 500, count: 1, match: { messageId: "u2-1" } });
    const env = { QUICK_ATTEMPTS: "1", RETRY_DELAYS: "2s,20s" };
    const service = await story.start(env);
    await story.produce([...tracks("u1", 1, 3), ...tracks("u2", 1, 2), ...tracks("u3", 1, 1)]);
    await until("u1 waits in the second retry topic", () => service.logs.find(({ tier }) => tier === 1));
    await until("u2 is through", () => deliveredIds(story, "u2").length === 2 || undefined);
    await expect.poll(() => service.metric("gainstream_parked_users"), patient).toBe(1);
    await service.kill();

    await story.produce([...tracks("u1", 4, 1), ...tracks("u3", 2, 1)]);
    const next = await story.start(env);
    await expect.poll(() => next.metric("gainstream_parked_users"), patient).toBe(1);
    await until("u3 continues", () => deliveredIds(story, "u3").includes("u3-2") || undefined);
    expect(deliveredIds(story, "u1")).toEqual([]);
    await until("u1 is through", () => deliveredIds(story, "u1").includes("u1-4") || undefined);
    expect([...new Set(deliveredIds(story, "u1"))]).toEqual(["u1-1", "u1-2", "u1-3", "u1-4"]);
    expect(story.standin.ledger()).toMatchObject({ distinct: 8, inversions: 0 });
    await expect.poll(() => next.metric("gainstream_parked_users"), patient).toBe(0);
    expect(await story.read(story.deadLetters)).toEqual([]);
  });

  /*
   * The broker itself is killed with -9 under load and comes back after some seconds with what it had. The service outlives
   * it, takes up its work by itself, and nothing is lost and nobody's events change their order. In the end all is committed.
   */
  journey(
    "a broker killed with -9 under load costs nothing but time",
    { timeout: 90_000 },
    async ({ story, expect }) => {
      const own = await startOwnBroker(story, load);
      story.standin.faults.add({ kind: "latency", ms: 15, jitterMs: 30 });
      story.standin.faults.add({ kind: "status", status: 500, count: 30, ratio: 0.05 });
      const env = { KAFKA_BROKERS: own.brokers, GAINSIGHT_CONCURRENCY: String(concurrency), QUICK_ATTEMPTS: "1" };
      const service = await story.start(env);
      await until("half is delivered", () => story.standin.ledger().distinct > total / 2 || undefined);
      await own.broker(1).kill();
      await sleep(3_000);
      await own.broker(1).start();
      await until("all are delivered", () => story.standin.ledger().distinct === total || undefined);
      expect(story.standin.ledger().inversions).toBe(0);
      await expect.poll(() => service.metric("gainstream_parked_users"), patient).toBe(0);
      const kafka = journeyKafka(own.brokers);
      await expect.poll(() => committedOffsets(kafka, story.group, story.source).then(sum), patient).toBe(total);
      expect(await service.stop()).toBe(0);
    },
  );

  /*
   * The broker dies and the operator stops the service before it is back. The service does not wait for ever for a commit
   * that nobody takes, and ends within its time. It says that the last commit has failed, by a sentence and its exit code.
   */
  journey("SIGTERM while the broker is gone ends in time", async ({ story, expect }) => {
    const own = await startOwnBroker(story, load);
    story.standin.faults.add({ kind: "latency", ms: 50 });
    const service = await story.start({ KAFKA_BROKERS: own.brokers, GAINSIGHT_CONCURRENCY: "4" });
    await until("some are delivered", () => story.standin.ledger().distinct > 50 || undefined);
    await own.broker(1).kill();
    const stoppedAt = Date.now();
    expect(await service.stop()).toBe(1);
    expect(Date.now() - stoppedAt).toBeLessThan(25_000);
    const error = expect.objectContaining({ message: expect.stringMatching(/^Cannot commit what was finished last/) });
    expect(service.logs.at(-1)).toMatchObject({ level: "fatal", err: error });
  });
});
