import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import type { CallResult } from "../../src/core/outcome/classify.ts";
import { createRandom } from "../../src/standin/random.ts";
import { parsedOf } from "./rig.ts";
import { type Behaviour, createWholePipeline, ok, refusal } from "./whole-pipeline.ts";

const users = 300;
const each = 12;
const isOdd = (event: string): boolean => event.startsWith("odd");
const oddly =
  (answer: CallResult): Behaviour =>
  (event) =>
    isOdd(event) ? answer : ok;
const odd = (status: number): Behaviour => oddly(refusal(status));
const resultFalse = (code: string): CallResult => ({ kind: "response", status: 200, resultFalse: { code } });

type World = ReturnType<typeof createWholePipeline>;

/** 3,600 events of 300 users, one after the other. */
const fill = ({ enqueue }: World): void => {
  for (let n = 0; n < each; n++) for (let user = 0; user < users; user++) enqueue(`u${user}`, `u${user}-${n}`);
};

const lastDelivered = ({ ended }: World): number =>
  Math.max(...ended.flatMap(({ outcome, at }) => (outcome.kind === "delivered" ? [at] : [])));

/** Succeeds for `upMs`, then is refused for `downMs`, by turns. */
const byTurns =
  (status: number, upMs: number, downMs: number): Behaviour =>
  () =>
    performance.now() % (upMs + downMs) < upMs ? ok : refusal(status);

/** A random share of the calls is refused with this status. */
const atRandom = (status: number, share: number, seed: number): Behaviour => {
  const random = createRandom(seed);
  return () => (random() < share ? refusal(status) : ok);
};

const alternately = (status: number): Behaviour => {
  let calls = 0;
  return () => (++calls % 2 === 0 ? refusal(status) : ok);
};

/** This many calls a second succeed; the others get 429. */
const limited = (perSecond: number): Behaviour => {
  let [second, used] = [0, 0];
  return () => {
    const now = Math.floor(performance.now() / 1_000);
    if (now !== second) [second, used] = [now, 0];
    return used++ < perSecond ? ok : refusal(429);
  };
};

describe("an event that is refused while others succeed", () => {
  beforeEach(() => {
    vi.useFakeTimers({ now: 0 });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it.each([401, 403, 404, 405, 302])("with %i does not hold the others, and is rejected", async (status) => {
    const world = createWholePipeline(odd(status));
    world.enqueue("odd", "odd-1");
    world.enqueue("odd", "good-1");
    fill(world);
    await world.run(60_000);
    const perfectMs = (3_601 / 64) * 20;
    expect([world.holds, world.count("delivered"), world.retried]).toEqual([[], 3_601, []]);
    expect(lastDelivered(world)).toBeLessThan(perfectMs * 1.1);
    expect(world.ended.filter(({ outcome }) => outcome.kind === "dead")).toMatchObject([
      { event: "odd-1", outcome: { reason: "rejected", status } },
    ]);
    expect(world.calls.get("odd-1")).toBeLessThanOrEqual(6);
    expect(world.tracker.committableOffset).toBe(3_602);
    world.delivery.close();
  });

  it.each(["GS_APIG_2401", "GS_APIG_2402", "GS_APIG_1000"])(
    "with result: false and %s does not hold the others, and is rejected",
    async (code) => {
      const world = createWholePipeline(oddly(resultFalse(code)));
      world.enqueue("odd", "odd-1");
      world.enqueue("odd", "good-1");
      fill(world);
      await world.run(60_000);
      expect([world.holds, world.count("delivered"), world.retried]).toEqual([[], 3_601, []]);
      expect(world.ended.filter(({ outcome }) => outcome.kind === "dead")).toMatchObject([
        { event: "odd-1", outcome: { reason: "rejected", status: 200 } },
      ]);
      world.delivery.close();
    },
  );

  it.each([
    ["GU_1101", "server_error"],
    ["GSOBJ_1011", "not_yet"],
  ])("with result: false and %s goes to a retry topic, and its user's next event after it", async (code, reason) => {
    const world = createWholePipeline(oddly(resultFalse(code)));
    world.enqueue("odd", "odd-1");
    fill(world);
    world.enqueue("odd", "good-1");
    await world.run(60_000);
    expect([world.holds, world.count("delivered")]).toEqual([[], 3_600]);
    expect(world.retried).toMatchObject([
      { event: "odd-1", reason },
      { event: "good-1", reason: "parked" },
    ]);
    expect(world.calls.get("good-1")).toBeUndefined();
    world.delivery.close();
  });

  it("with 429 holds the others once, and goes to a retry topic with an attempt used", async () => {
    const world = createWholePipeline(odd(429));
    world.enqueue("odd", "odd-1");
    fill(world);
    await world.run(60_000);
    expect(world.holds).toEqual(["throttled"]);
    expect(world.count("delivered")).toBe(3_600);
    expect(world.retried).toMatchObject([{ event: "odd-1", reason: "throttled", attempts: 1, tier: 0, status: 429 }]);
    world.delivery.close();
  });

  it("on a quiet topic is rejected when others have succeeded four times in between, however late they come", async () => {
    for (let seed = 1; seed <= 30; seed++) {
      vi.setSystemTime(0);
      const world = createWholePipeline(odd(404), { seed });
      world.enqueue("odd", "odd-1");
      await world.run(1_000 + seed * 67);
      for (let round = 1; round <= 4; round++) {
        for (let user = 0; user < 30; user++) world.enqueue(`u${user}`, `u${user}-${round}`);
        await world.run(0);
        while (world.count("delivered") < 30 * round) await world.run(50);
        await world.run(6_000);
      }
      await world.run(20_000);
      expect([seed, world.count("dead"), world.holds[0]]).toEqual([seed, 1, "misconfigured"]);
      world.delivery.close();
    }
  });

  it.each([
    [0.05, 0.99],
    [0.1, 0.98],
  ])("does not slow the others down, even if a share of %d of all events is refused", async (share, done) => {
    const world = createWholePipeline(odd(403));
    const random = createRandom(1);
    const many = 10 * 100 * 15;
    for (let n = 0; n < many; n++) {
      world.enqueue(`u${Math.floor(random() * 5_000)}`, `${random() < share ? "odd" : "good"}-${n}`);
      if (n % 15 === 14) await world.run(10);
    }
    const good = many * (1 - share);
    expect(world.count("delivered")).toBeGreaterThan(good * done);
    expect(world.count("dead")).toBeGreaterThan(many * share * 0.9);
    expect(world.holds.length).toBeLessThanOrEqual(1);
    world.delivery.close();
  });

  it.each([401, 404])(
    "is held and kept if all others get %i as well, since the key or the address is wrong",
    async (status) => {
      const world = createWholePipeline(() => ok);
      fill(world);
      await world.run(200);
      await world.run(60_000, () => refusal(status));
      const made = [...world.calls.values()].reduce((sum, calls) => sum + calls);
      // The calls in flight, a probe at once, and single probes after growing pauses.
      expect(made - world.count("delivered")).toBeLessThanOrEqual(64 + 64 + 10);
      expect([world.delivery.isHeld, world.count("dead"), world.retried]).toEqual([true, 0, []]);
      await world.run(120_000, () => ok);
      expect([world.count("delivered"), world.delivery.holds]).toEqual([3_600, []]);
      world.delivery.close();
    },
  );

  const targets: [string, (seed: number) => Behaviour][] = [
    ["an address that works for 5 s and breaks for 5 s", () => byTurns(404, 5_000, 5_000)],
    ["an address that works for 1 s and breaks for 1 s", () => byTurns(404, 1_000, 1_000)],
    ["an address that works for 200 ms and breaks for 200 ms", () => byTurns(404, 200, 200)],
    ["an address that works for 50 ms and breaks for 50 ms", () => byTurns(404, 50, 50)],
    ["a key that is refused for 50 ms in each second", () => byTurns(401, 950, 50)],
    ["an address that answers 404 to one call in fifty", (seed) => atRandom(404, 0.02, seed)],
    ["an address that answers 404 to one call in ten", (seed) => atRandom(404, 0.1, seed)],
    ["an address that answers 404 to one call in four", (seed) => atRandom(404, 0.25, seed)],
    ["an address that answers 404 to every other call", (seed) => atRandom(404, 0.5, seed)],
    ["an address that answers 403 to nine calls in ten", (seed) => atRandom(403, 0.9, seed)],
    ["a limit that lets one call in ten through", (seed) => atRandom(429, 0.9, seed)],
    ["a limit that refuses one call in ten", (seed) => atRandom(429, 0.1, seed)],
    ["a limit of 10 calls a second", () => limited(10)],
    ["a limit of 100 calls a second", () => limited(100)],
    ["a limit of 1,000 calls a second", () => limited(1_000)],
  ];
  it.each(targets)("is not found with %s: no event is rejected, none uses an attempt", async (_, behave) => {
    for (const seed of [1])
      for (const concurrency of [2, 64]) {
        const world = createWholePipeline(behave(seed), { seed, concurrency });
        fill(world);
        await world.run(60_000);
        expect([seed, concurrency, world.count("dead"), world.retried]).toEqual([seed, concurrency, 0, []]);
        world.delivery.close();
      }
  });

  const beginnings: [string, Behaviour, number][] = [
    ["every other call gets 403", alternately(403), 64],
    ["half of all calls get 404", atRandom(404, 0.5, 7), 8],
    ["half of all calls get 404, one at a time", atRandom(404, 0.5, 8), 1],
    ["a limit of 2 calls a second", limited(2), 8],
  ];
  it.each(beginnings)("is not found if all calls succeeded before and now %s", async (_, behave, concurrency) => {
    for (let seed = 1; seed <= 8; seed++) {
      vi.setSystemTime(0);
      const world = createWholePipeline(() => ok, { seed, concurrency });
      for (let n = 0; n < 600; n++) world.enqueue(`w${n}`, `w${n}`);
      await world.run(1_000 + seed * 13);
      await world.run(0, behave);
      for (let n = 0; n < 100; n++) {
        world.enqueue(`u${n % 3}`, `u${n}`);
        await world.run(200);
      }
      await world.run(20_000, () => ok);
      expect([seed, world.count("dead"), world.retried]).toEqual([seed, 0, []]);
      world.delivery.close();
    }
  });

  it("does not hold the others again when it returns from the retry topic where it waited because only it was throttled", async () => {
    const throttled: CallResult = { kind: "response", status: 429, retryAfterMs: 60_000 };
    const world = createWholePipeline((event) => (isOdd(event) ? throttled : ok));
    fill(world);
    await world.run(2_000);
    const retryState = { ...parsedOf("odd", 0).retryState, attempts: 1, reason: "throttled" };
    world.enqueue("odd", "odd-1", { retryState });
    for (let n = 0; n < 100; n++) {
      world.enqueue(`v${n}`, `v${n}`);
      await world.run(100);
    }
    expect([world.holds, world.retried.map(({ reason }) => reason)]).toEqual([[], ["throttled"]]);
    world.delivery.close();
  });
});
