import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { type Lane, Lanes } from "../../src/ordering/key-queues.ts";

const headsOf = (lanes: Lanes<number>) => {
  const heads: number[] = [];
  for (let lane = lanes.next(); lane; lane = lanes.next()) heads.push(lane.head);
  return heads;
};

/** Lanes beside the simplest thing that does the same: an array per user. */
const createModel = () => {
  const lanes = new Lanes<number>();
  const waiting = new Map<string, number[]>();
  const taken: Lane<number>[] = [];
  const out: number[] = [];
  let added = 0;
  const pick = (number: number) => taken.splice(number % Math.max(1, taken.length), 1);
  const steps = {
    add: (number: number) => {
      const key = ["a", "b", "__proto__"][number % 3] ?? "";
      lanes.add(key, added);
      waiting.set(key, [...(waiting.get(key) ?? []), added++]);
    },
    start: () => {
      const lane = lanes.next();
      if (!lane) return;
      expect(taken.map(({ key }) => key)).not.toContain(lane.key);
      expect(lane.head).toBe(waiting.get(lane.key)?.[0]);
      taken.push(lane);
    },
    done: (number: number) => {
      for (const lane of pick(number)) {
        out.push(lane.head);
        waiting.get(lane.key)?.shift();
        lanes.done(lane);
      }
    },
    front: (number: number) => pick(number).forEach((lane) => lanes.putBack(lane, "front")),
    back: (number: number) => pick(number).forEach((lane) => lanes.putBack(lane, "back")),
  };
  const finishAll = () => {
    while (lanes.ready > 0 || taken.length > 0) {
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
    const lanes = new Lanes<object>();
    lanes.add("a", {});
    const lane = lanes.next();
    if (lane) lanes.done(lane);
    expect(lane).toMatchObject({ head: undefined, rest: undefined });
  });

  test("has nothing to start where nothing was added", () => {
    const lanes = new Lanes<number>();
    expect(lanes.ready).toBe(0);
    expect(lanes.next()).toBeUndefined();
  });

  test("starts one of each user, oldest first, and the next when it is done", () => {
    const lanes = new Lanes<number>();
    for (const [key, item] of [
      ["a", 1],
      ["a", 2],
      ["b", 3],
      ["a", 4],
    ] as const)
      lanes.add(key, item);
    const first = lanes.next();
    expect([first?.head, lanes.next()?.head, lanes.ready]).toEqual([1, 3, 0]);
    if (first) lanes.done(first);
    expect(headsOf(lanes)).toEqual([2]);
  });

  test.each([
    ["front", [1, 2, 3]],
    ["back", [2, 3, 1]],
  ] as const)("starts what was put back to the %s in that order", (place, order) => {
    const lanes = new Lanes<number>();
    for (const item of [1, 2, 3]) lanes.add(String(item), item);
    const taken = lanes.next();
    if (taken) lanes.putBack(taken, place);
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
    const lanes = new Lanes<number>();
    for (const item of [1, 2, 3, 40, 5]) lanes.add("a", item);
    lanes.add("b", 6);
    const lane = lanes.next();
    if (!lane) throw new Error("No lane");
    expect([lanes.isTaken("a"), lanes.isTaken("b"), lanes.isTaken("c")]).toEqual([true, false, false]);
    expect([lanes.lengthOf("a"), lanes.lengthOf("b"), lanes.lengthOf("c")]).toEqual([5, 1, 0]);
    expect(lanes.heavierThan(1, () => 1).map(({ key }) => key)).toEqual(["a"]);
    expect([lanes.find((item) => item === 40), lanes.find((item) => item === 7)]).toEqual([40, undefined]);
    expect(lanes.run(lane, 10, (item) => item < 10)).toEqual([1, 2, 3]);
    expect(lanes.run(lane, 2, () => true)).toEqual([1, 2]);
    lanes.done(lane, 3);
    expect([lanes.isTaken("a"), lanes.lengthOf("a")]).toEqual([false, 2]);
    expect(headsOf(lanes)).toEqual([6, 40]);
  });

  test("takes the oldest lane whose head is as wanted, and leaves the others in their order", () => {
    const lanes = new Lanes<number>();
    for (const [index, key] of ["a", "b", "c", "d"].entries()) lanes.add(key, index);
    expect(lanes.nextLike((item) => item >= 2)?.key).toBe("c");
    expect(lanes.nextLike((item) => item > 9)).toBeUndefined();
    expect([lanes.isTaken("a"), lanes.isTaken("c")]).toEqual([false, true]);
    expect(headsOf(lanes)).toEqual([0, 1, 3]);
  });
});
