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

/** Kills the service when this many events are delivered. Resolves with the number delivered since about the last commit. */
const killAfter = async ({ standin }: Story, service: Service, count: number): Promise<number> => {
  const samples: { at: number; delivered: number }[] = [];
  while (standin.ledger().distinct < count) {
    samples.push({ at: Date.now(), delivered: standin.stats().delivered });
    await sleep(20);
  }
  await service.kill();
  const { delivered } = standin.stats();
  // The service commits every second; 250 ms more until the broker has the commit.
  const old = samples.findLast(({ at }) => at < Date.now() - 1_250);
  return delivered - (old?.delivered ?? 0);
};

describe.concurrent("crash", () => {
  /*
   * The process is killed with -9 under load, twice, and started again. No event is lost and no user's events change
   * their order. At most those events are delivered twice that were in flight or completed since the last commit.
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
   * The process is killed while users are parked, one of them in the second retry topic. The next process rebuilds the
   * backlog from the retry topics before it reads a source. New events of parked users wait behind the backlog, events
   * of other users do not, and every user's order is kept.
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
   * The broker is killed with -9 under load and restarts after some seconds with its data. The service keeps running
   * and continues by itself. No event is lost or out of order, and in the end everything is committed.
   */
  journey(
    "kill -9 of a broker under load loses and reorders nothing",
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
   * The broker is down, and the operator stops the service. The service does not wait forever for a commit that cannot
   * succeed: it ends within its time limit. A log line and the exit code say that the last commit failed.
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
