import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { type KeyQueue, KeyQueues } from "../../src/ordering/key-queues.ts";

const headsOf = (lanes: KeyQueues<number>) => {
  const heads: number[] = [];
  for (let lane = lanes.takeNext(); lane; lane = lanes.takeNext()) heads.push(lane.head);
  return heads;
};

/** Lanes beside the simplest thing that does the same: an array per user. */
const createModel = () => {
  const lanes = new KeyQueues<number>();
  const waiting = new Map<string, number[]>();
  const taken: KeyQueue<number>[] = [];
  const out: number[] = [];
  let added = 0;
  const pick = (number: number) => taken.splice(number % Math.max(1, taken.length), 1);
  const steps = {
    add: (number: number) => {
      const key = ["a", "b", "__proto__"][number % 3] ?? "";
      lanes.enqueue(key, added);
      waiting.set(key, [...(waiting.get(key) ?? []), added++]);
    },
    start: () => {
      const lane = lanes.takeNext();
      if (!lane) return;
      expect(taken.map(({ key }) => key)).not.toContain(lane.key);
      expect(lane.head).toBe(waiting.get(lane.key)?.[0]);
      taken.push(lane);
    },
    done: (number: number) => {
      for (const lane of pick(number)) {
        out.push(lane.head);
        waiting.get(lane.key)?.shift();
        lanes.completeHead(lane);
      }
    },
    front: (number: number) => pick(number).forEach((lane) => lanes.requeue(lane, "front")),
    back: (number: number) => pick(number).forEach((lane) => lanes.requeue(lane, "back")),
  };
  const finishAll = () => {
    while (lanes.readyCount > 0 || taken.length > 0) {
      steps.start();
      steps.done(0);
    }
    return { added, out };
  };
  return { steps, finishAll };
};

const names = ["add", "add", "start", "start", "done", "front", "back"] as const;

describe("Lanes", () => {
  test("lets go of a user's last item with the lane, so that who still names the lane keeps nothing alive", () => {
    const lanes = new KeyQueues<object>();
    lanes.enqueue("a", {});
    const lane = lanes.takeNext();
    if (lane) lanes.completeHead(lane);
    expect(lane).toMatchObject({ head: undefined, rest: undefined });
  });

  test("has nothing to start where nothing was added", () => {
    const lanes = new KeyQueues<number>();
    expect(lanes.readyCount).toBe(0);
    expect(lanes.takeNext()).toBeUndefined();
  });

  test("starts one of each user, oldest first, and the next when it is done", () => {
    const lanes = new KeyQueues<number>();
    for (const [key, item] of [
      ["a", 1],
      ["a", 2],
      ["b", 3],
      ["a", 4],
    ] as const)
      lanes.enqueue(key, item);
    const first = lanes.takeNext();
    expect([first?.head, lanes.takeNext()?.head, lanes.readyCount]).toEqual([1, 3, 0]);
    if (first) lanes.completeHead(first);
    expect(headsOf(lanes)).toEqual([2]);
  });

  test.each([
    ["front", [1, 2, 3]],
    ["back", [2, 3, 1]],
  ] as const)("starts what was put back to the %s in that order", (place, order) => {
    const lanes = new KeyQueues<number>();
    for (const item of [1, 2, 3]) lanes.enqueue(String(item), item);
    const taken = lanes.takeNext();
    if (taken) lanes.requeue(taken, place);
    expect(headsOf(lanes)).toEqual(order);
  });

  test("never has two of one user in work, keeps each user's order, and lets each item out once", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.constantFrom(...names), fc.nat(100)), { maxLength: 200, size: "max" }),
        (script) => {
          const { steps, finishAll } = createModel();
          for (const [name, number] of script) steps[name](number);
          const { added, out } = finishAll();
          expect(out.toSorted((a, b) => a - b)).toEqual(Array.from({ length: added }, (_, item) => item));
        },
      ),
      { numRuns: 500 },
    );
  }, 30_000);

  test("tells what a lane holds, and lets several of it end at once", () => {
    const lanes = new KeyQueues<number>();
    for (const item of [1, 2, 3, 40, 5]) lanes.enqueue("a", item);
    lanes.enqueue("b", 6);
    const lane = lanes.takeNext();
    if (!lane) throw new Error("No lane");
    expect([lanes.isBusy("a"), lanes.isBusy("b"), lanes.isBusy("c")]).toEqual([true, false, false]);
    expect([lanes.lengthOf("a"), lanes.lengthOf("b"), lanes.lengthOf("c")]).toEqual([5, 1, 0]);
    expect(lanes.queuesHeavierThan(1, () => 1).map(({ key }) => key)).toEqual(["a"]);
    expect([lanes.findItem((item) => item === 40), lanes.findItem((item) => item === 7)]).toEqual([40, undefined]);
    expect(lanes.peekRun(lane, 10, (item) => item < 10)).toEqual([1, 2, 3]);
    expect(lanes.peekRun(lane, 2, () => true)).toEqual([1, 2]);
    lanes.completeHead(lane, 3);
    expect([lanes.isBusy("a"), lanes.lengthOf("a")]).toEqual([false, 2]);
    expect(headsOf(lanes)).toEqual([6, 40]);
  });

  test("takes the oldest lane whose head is as wanted, and leaves the others in their order", () => {
    const lanes = new KeyQueues<number>();
    for (const [index, key] of ["a", "b", "c", "d"].entries()) lanes.enqueue(key, index);
    expect(lanes.takeNextWhere((item) => item >= 2)?.key).toBe("c");
    expect(lanes.takeNextWhere((item) => item > 9)).toBeUndefined();
    expect([lanes.isBusy("a"), lanes.isBusy("c")]).toEqual([false, true]);
    expect(headsOf(lanes)).toEqual([0, 1, 3]);
  });
});
