import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { type ExpectStatic, describe } from "vitest";

import type { Service } from "./service.ts";
import { type Story, accessKey, deliveredIds, journey, patient, sum, tracks } from "./story.ts";

const users = Array.from({ length: 30 }, (_, index) => `u${index}`);
const oneEach = (n: number) => users.flatMap((user) => tracks(user, n, 1));

/** A hold writes nothing: events wait without a move to another topic. */
const expectNothingForwarded = async (story: Story, expect: ExpectStatic): Promise<void> => {
  expect(await story.read(story.retryTopic("1s"))).toEqual([]);
  expect(await story.read(story.deadLetters)).toEqual([]);
};

const expectHold = async (service: Service, reason: string, expect: ExpectStatic): Promise<void> => {
  await expect.poll(() => service.readiness(), patient).toEqual({ ok: true, reasons: [], holds: [reason] });
  expect(await service.metric("gainstream_hold", { reason })).toBe(1);
  expect(service.logs).toContainEqual(expect.objectContaining({ level: "warn", hold: reason }));
};

const expectEnded = async (service: Service, reason: string, expect: ExpectStatic): Promise<void> => {
  expect(await service.readiness()).toEqual({ ok: true, reasons: [], holds: [] });
  expect(await service.metric("gainstream_hold", { reason })).toBe(0);
  expect(service.logs).toContainEqual(expect.objectContaining({ level: "info", hold: reason }));
};

describe.concurrent("holds", () => {
  /*
   * Gainsight is down for everybody. The circuit breaker opens and delivery holds: single probe calls check whether
   * Gainsight is back, and no event loses an attempt. When Gainsight is back, everything is delivered in order, and
   * nothing was written to the retry topics.
   */
  journey("an outage opens the breaker, holds delivery and leaves no trace", async ({ story, expect }) => {
    const service = await story.start({ BREAKER_PROBE_MAX: "400ms" });
    await story.produce(oneEach(1));
    await expect.poll(() => deliveredIds(story).length, patient).toBe(30);
    story.standin.faults.add({ kind: "outage", mode: "503" });
    await story.produce([...oneEach(2), ...oneEach(3)]);
    await expectHold(service, "target_down", expect);
    await expect.poll(() => service.metric("gainstream_breaker_state"), patient).toBe(2);
    const before = story.standin.stats().total;
    await expect.poll(() => story.standin.stats().total - before, patient).toBeGreaterThanOrEqual(4);
    const probes = story.standin.requests(4).map(({ time }) => Date.parse(time));
    for (const [index, time] of probes.slice(1).entries())
      expect(time - (probes[index] ?? 0)).toBeGreaterThanOrEqual(90);
    await story.standin.faults.clear();
    await expect.poll(() => story.standin.ledger().distinct, patient).toBe(90);
    expect(story.standin.ledger()).toMatchObject({ duplicates: 0, inversions: 0 });
    await expectEnded(service, "target_down", expect);
    expect(await service.metric("gainstream_breaker_state")).toBe(0);
    await expectNothingForwarded(story, expect);
  });

  /*
   * Gainsight answers 429 with Retry-After: 3. For three seconds there is no call. Then everything is delivered, and no
   * attempt was used.
   */
  journey("Retry-After of a 429 is respected", async ({ story, expect }) => {
    const service = await story.start({ GAINSIGHT_CONCURRENCY: "1" });
    story.standin.faults.add({ kind: "status", status: 429, retryAfter: "3", count: 1 });
    await story.produce(oneEach(1));
    await expectHold(service, "throttled", expect);
    await expect.poll(() => story.standin.ledger().distinct, patient).toBe(30);
    const times = story.standin.requests(1_000).map(({ time, status }) => ({ at: Date.parse(time), status }));
    expect(times.map(({ status }) => status)).toEqual([429, ...users.map(() => 200)]);
    const silence = (times[1]?.at ?? 0) - (times[0]?.at ?? 0);
    expect(silence).toBeGreaterThanOrEqual(2_990);
    expect(silence).toBeLessThan(5_000);
    await expectEnded(service, "throttled", expect);
    await expectNothingForwarded(story, expect);
  });

  /*
   * Gainsight throttles without Retry-After. The service sends a single call after about one second, then after longer
   * pauses, and continues by itself.
   */
  journey("429 without Retry-After is retried after growing pauses", async ({ story, expect }) => {
    const service = await story.start({ GAINSIGHT_CONCURRENCY: "1" });
    story.standin.faults.add({ kind: "status", status: 429, count: 2 });
    await story.produce(oneEach(1));
    await expectHold(service, "throttled", expect);
    await expect.poll(() => story.standin.ledger().distinct, patient).toBe(30);
    const times = story.standin.requests(1_000).map(({ time }) => Date.parse(time));
    const pauses = times.slice(1, 3).map((time, index) => time - (times[index] ?? 0));
    expect(pauses[0]).toBeGreaterThanOrEqual(490);
    expect(pauses[1]).toBeGreaterThanOrEqual(990);
    expect(story.standin.ledger()).toMatchObject({ duplicates: 0, inversions: 0 });
    await expectNothingForwarded(story, expect);
  });

  /*
   * The access key is revoked while events arrive. The service holds, reports the hold and stays ready. The operator
   * mounts a new key, and within seconds the service continues with it, without a restart. No log line contains the
   * key.
   */
  journey("a revoked key holds delivery until the key file changes", async ({ story, expect }) => {
    const folder = await mkdtemp(join(tmpdir(), "journey-"));
    story.onEnd(() => rm(folder, { recursive: true }));
    const keyFile = join(folder, "key");
    await writeFile(keyFile, `${accessKey}\n`);
    const env = { GAINSIGHT_ACCESS_KEY: "", GAINSIGHT_ACCESS_KEY_FILE: keyFile };
    const service = await story.start(env);
    const newKey = accessKey.replace("4000", "4001");
    story.standin.setAccessKey(newKey);
    await story.produce(oneEach(1));
    await expectHold(service, "unauthorized", expect);
    expect(story.standin.ledger().distinct).toBe(0);
    await writeFile(keyFile, newKey);
    const changedAt = Date.now();
    await expect.poll(() => story.standin.ledger().distinct, patient).toBe(30);
    expect(Date.now() - changedAt).toBeLessThan(5_000);
    await expectEnded(service, "unauthorized", expect);
    await expectNothingForwarded(story, expect);
    expect(service.logs.filter((line) => /0000-4\d{3}-8000/.test(JSON.stringify(line)))).toEqual([]);
  });

  /*
   * The configured address answers 404 to every call, so the address is wrong, not the events. The service holds and
   * probes with single calls. When an operator has corrected the address, everything is delivered.
   */
  journey("an address that answers 404 holds delivery", async ({ story, expect }) => {
    const service = await story.start();
    story.standin.faults.add({ kind: "status", status: 404 });
    await story.produce(oneEach(1));
    await expectHold(service, "misconfigured", expect);
    await expect.poll(() => story.standin.stats().total, patient).toBeGreaterThan(users.length);
    await story.standin.faults.clear();
    await expect.poll(() => story.standin.ledger().distinct, patient).toBe(30);
    await expectEnded(service, "misconfigured", expect);
    await expectNothingForwarded(story, expect);
  });

  /*
   * A firewall in front of Gainsight answers one event of one user with an error page; 300 other users are delivered
   * meanwhile. There is no hold. The event becomes a dead letter with its status and the word firewall, and everything
   * is committed.
   */
  journey.for([401, 403])(
    "a single event with %i holds nothing and becomes a dead letter",
    async (status, { story, expect }) => {
      story.standin.faults.add({ kind: "latency", ms: 20 });
      story.standin.faults.add({ kind: "status", status, body: "html", match: { messageId: "odd-1" } });
      const service = await story.start();
      const others = Array.from({ length: 300 }, (_, user) => `c${user}`);
      const load = Array.from({ length: 12 }, (_, n) => others.flatMap((user) => tracks(user, n, 1))).flat();
      const firstAt = Date.now();
      await story.produce([...load.slice(0, 300), ...tracks("odd", 1, 2), ...load.slice(300)]);
      await expect.poll(() => story.standin.ledger().distinct, patient).toBe(3_601);
      expect(Date.now() - firstAt).toBeLessThan(10_000);
      await expect.poll(() => story.read(story.deadLetters), patient).toHaveLength(1);
      const [letter] = await story.read(story.deadLetters);
      expect(letter?.text).toMatchObject({ "gainstream-reason": "rejected", "gainstream-status": String(status) });
      expect(letter?.text["gainstream-error"]).toContain(`${status}, an HTML page: maybe a firewall`);
      const { messageIds } = story.standin.ledger();
      expect([messageIds.has("odd-1"), messageIds.has("odd-2")]).toEqual([false, true]);
      expect(service.logs.filter(({ msg }) => msg.startsWith("Holding"))).toEqual([]);
      await expect.poll(async () => sum(await story.committed()), patient).toBe(3_602);
      expect(story.standin.ledger()).toMatchObject({ duplicates: 0, inversions: 0 });
      expect(await story.read(story.retryTopic("1s"))).toEqual([]);
    },
  );

  /*
   * Only one event gets 404. The service holds, because the address may be wrong. Then other events succeed at the same
   * address, so the event itself is rejected: it becomes a dead letter, and its user continues.
   */
  journey(
    "a single event with 404 becomes a dead letter if other events succeed four times in between",
    async ({ story, expect }) => {
      story.standin.faults.add({ kind: "status", status: 404, match: { messageId: "odd-1" } });
      const service = await story.start();
      await story.produce(tracks("odd", 1, 2));
      await expectHold(service, "misconfigured", expect);
      const isJudged = () => deliveredIds(story, "odd").length > 0;
      let rounds = 0;
      // Four do, unless a whole round gets through between two calls of the odd one.
      while (rounds < 4 || (rounds < 20 && !isJudged())) {
        await story.produce(oneEach(++rounds));
        await expect.poll(() => story.standin.ledger().distinct, patient).toBeGreaterThanOrEqual(30 * rounds);
      }
      await expect.poll(() => story.standin.ledger().distinct, patient).toBe(30 * rounds + 1);
      expect(deliveredIds(story, "odd")).toEqual(["odd-2"]);
      const [letter] = await story.read(story.deadLetters);
      expect(letter?.text).toMatchObject({ "gainstream-reason": "rejected", "gainstream-status": "404" });
      await expectEnded(service, "misconfigured", expect);
    },
  );
});
