import { describe } from "vitest";

import { until } from "./service.ts";
import { deliveredIds, journey, patient, type Story, sum, tracks } from "./story.ts";

const users = Array.from({ length: 40 }, (_, index) => `u${index}`);
const eventsEach = 50;
const total = users.length * eventsEach;

/** Events of every user, in rounds: one event per user in each round. */
const load = Array.from({ length: eventsEach }, (_, n) => users.flatMap((user) => tracks(user, n, 1))).flat();

const deliveredAtLeast = ({ standin }: Story, count: number): Promise<true> =>
  until(`${count} are delivered`, () => standin.ledger().distinct >= count || undefined);

const slow = { kind: "latency", ms: 10, jitterMs: 20 } as const;

describe.concurrent("shutdown", () => {
  /*
   * Kubernetes replaces the pod under load: SIGTERM, then a new pod. The calls in flight finish, all completed events
   * are committed, and the exit code is 0. The new pod continues there: nothing is delivered twice, lost or out of
   * order.
   */
  journey("SIGTERM under load drains, and a restart duplicates and loses nothing", async ({ story, expect }) => {
    story.standin.faults.add(slow);
    await story.produce(load);
    const env = { GAINSIGHT_CONCURRENCY: "16" };
    for (const share of [0.2, 0.5]) {
      const service = await story.start(env);
      await deliveredAtLeast(story, total * share);
      const stoppedAt = Date.now();
      expect(await service.stop()).toBe(0);
      expect(Date.now() - stoppedAt).toBeLessThan(5_000);
      expect(service.logs.at(-1)).toMatchObject({ msg: "Stopped" });
      expect(story.standin.ledger().distinct).toBeLessThan(total);
    }
    const last = await story.start(env);
    await deliveredAtLeast(story, total);
    expect(story.standin.ledger()).toMatchObject({ distinct: total, duplicates: 0, inversions: 0 });
    expect(await last.stop()).toBe(0);
    expect(sum(await story.committed())).toBe(total);
    expect(story.standin.ledger()).toMatchObject({ distinct: total, duplicates: 0 });
  });

  /*
   * The service stops gracefully while a user is parked. The next process rebuilds the backlog from the retry topics,
   * and a new event of the user does not overtake.
   */
  journey("a user parked across a graceful restart keeps its order", async ({ story, expect }) => {
    story.standin.faults.add({ kind: "status", status: 500, count: 1, match: { messageId: "u1-1" } });
    const env = { QUICK_ATTEMPTS: "1", RETRY_DELAYS: "10s" };
    const first = await story.start(env);
    await story.produce(tracks("u1", 1, 2));
    await until("both wait", async () => (await story.read(story.retryTopic("10s"))).length === 2 || undefined);
    expect(await first.stop()).toBe(0);
    const second = await story.start(env);
    await expect.poll(() => second.metric("gainstream_parked_users"), patient).toBe(1);
    await story.produce([...tracks("u1", 3, 1), ...tracks("u2", 1, 1)]);
    await expect.poll(() => deliveredIds(story), patient).toEqual(["u2-1", "u1-1", "u1-2", "u1-3"]);
    expect(story.standin.ledger()).toMatchObject({ duplicates: 0, inversions: 0 });
  });

  /*
   * Gainsight hangs until the drain timeout, so the calls in flight are aborted. Their events have only one attempt,
   * but the aborted calls do not count: the events are neither dead-lettered, retried nor committed. After the restart
   * each is delivered once.
   */
  journey("calls that the drain timeout aborts count as not made", async ({ story, expect }) => {
    story.standin.faults.add({ kind: "outage", mode: "hang" });
    const env = { SHUTDOWN_TIMEOUT: "1s", RETRY_MAX_ATTEMPTS: "1", RETRY_MAX_AGE: "0s", QUICK_ATTEMPTS: "2" };
    const first = await story.start(env);
    await story.produce([...tracks("u1", 1, 2), ...tracks("u2", 1, 1)]);
    await expect.poll(() => first.metric("gainstream_in_flight"), patient).toBe(2);
    expect(await first.stop()).toBe(0);
    expect(await story.read(story.deadLetters)).toEqual([]);
    expect(await story.read(story.retryTopic("1s"))).toEqual([]);
    expect(sum(await story.committed())).toBe(0);
    await story.standin.faults.clear();
    const second = await story.start(env);
    await deliveredAtLeast(story, 3);
    expect(story.standin.ledger()).toMatchObject({ distinct: 3, duplicates: 0, inversions: 0 });
    expect(await second.stop()).toBe(0);
    expect(sum(await story.committed())).toBe(3);
  });

  /*
   * Gainsight hangs, so the drain takes long. A second signal ends the process at once, and the exit code says that the
   * stop was not graceful.
   */
  journey("a second signal ends the process at once", async ({ story, expect }) => {
    story.standin.faults.add({ kind: "outage", mode: "hang" });
    const service = await story.start();
    await story.produce(tracks("u1", 1, 1));
    await expect.poll(() => service.metric("gainstream_in_flight"), patient).toBe(1);
    service.signal("SIGTERM");
    await until("the drain has begun", () => service.logs.find(({ msg }) => msg.startsWith("Shutting down:")));
    const hurriedAt = Date.now();
    expect(await service.stop()).toBe(1);
    expect(Date.now() - hurriedAt).toBeLessThan(1_000);
    expect(service.logs.at(-1)).toMatchObject({ level: "warn", signal: "SIGTERM" });
  });

  /*
   * A second replica starts under load and takes its share of the partitions. Later it stops gracefully, and the first
   * one owns all partitions again. Nothing is delivered twice, lost or out of order.
   */
  journey("two replicas share the work, and a graceful leave duplicates nothing", async ({ story, expect }) => {
    story.standin.faults.add(slow);
    await story.produce(load);
    const env = { GAINSIGHT_CONCURRENCY: "8" };
    const first = await story.start(env);
    await deliveredAtLeast(story, total * 0.1);
    const second = await story.start(env);
    const share = async (service: typeof first): Promise<number> => (await service.status()).lag.length;
    await expect
      .poll(async () => [await share(first), await share(second)].toSorted((a, b) => a - b), patient)
      .toEqual([3, 6]);
    await expect.poll(() => second.metric("gainstream_events_total"), patient).toBeGreaterThan(50);
    expect(story.standin.ledger().distinct).toBeLessThan(total);
    expect(await second.stop()).toBe(0);
    await expect.poll(() => share(first), patient).toBe(9);
    await deliveredAtLeast(story, total);
    expect(story.standin.ledger()).toMatchObject({ distinct: total, duplicates: 0, inversions: 0 });
    expect(await first.stop()).toBe(0);
  });
});
