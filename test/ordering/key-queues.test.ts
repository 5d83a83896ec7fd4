import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { type KeyQueue, KeyQueues } from "../../src/ordering/key-queues.ts";

const headsOf = (queues: KeyQueues<number>) => {
  const heads: number[] = [];
  for (let queue = queues.takeNext(); queue; queue = queues.takeNext()) heads.push(queue.head);
  return heads;
};

/** KeyQueues beside the simplest model of it: an array per key. */
const createModel = () => {
  const queues = new KeyQueues<number>();
  const waiting = new Map<string, number[]>();
  const taken: KeyQueue<number>[] = [];
  const out: number[] = [];
  let added = 0;
  const pick = (number: number) => taken.splice(number % Math.max(1, taken.length), 1);
  const steps = {
    add: (number: number) => {
      const key = ["a", "b", "__proto__"][number % 3] ?? "";
      queues.enqueue(key, added);
      waiting.set(key, [...(waiting.get(key) ?? []), added++]);
    },
    start: () => {
      const queue = queues.takeNext();
      if (!queue) return;
      expect(taken.map(({ key }) => key)).not.toContain(queue.key);
      expect(queue.head).toBe(waiting.get(queue.key)?.[0]);
      taken.push(queue);
    },
    done: (number: number) => {
      for (const queue of pick(number)) {
        out.push(queue.head);
        waiting.get(queue.key)?.shift();
        queues.completeHead(queue);
      }
    },
    front: (number: number) => pick(number).forEach((queue) => queues.requeue(queue, "front")),
    back: (number: number) => pick(number).forEach((queue) => queues.requeue(queue, "back")),
  };
  const finishAll = () => {
    while (queues.readyCount > 0 || taken.length > 0) {
      steps.start();
      steps.done(0);
    }
    return { added, out };
  };
  return { steps, finishAll };
};

const names = ["add", "add", "start", "start", "done", "front", "back"] as const;

describe("KeyQueues", () => {
  test("releases a key's last item with the queue, so that a reference to the queue keeps nothing alive", () => {
    const queues = new KeyQueues<object>();
    queues.enqueue("a", {});
    const queue = queues.takeNext();
    if (queue) queues.completeHead(queue);
    expect(queue).toMatchObject({ head: undefined, waiting: undefined });
  });

  test("has nothing to start if nothing was added", () => {
    const queues = new KeyQueues<number>();
    expect(queues.readyCount).toBe(0);
    expect(queues.takeNext()).toBeUndefined();
  });

  test("starts one item of each user, oldest first, and the next one when it is completed", () => {
    const queues = new KeyQueues<number>();
    for (const [key, item] of [
      ["a", 1],
      ["a", 2],
      ["b", 3],
      ["a", 4],
    ] as const)
      queues.enqueue(key, item);
    const first = queues.takeNext();
    expect([first?.head, queues.takeNext()?.head, queues.readyCount]).toEqual([1, 3, 0]);
    if (first) queues.completeHead(first);
    expect(headsOf(queues)).toEqual([2]);
  });

  test.each([
    ["front", [1, 2, 3]],
    ["back", [2, 3, 1]],
  ] as const)("starts what was put back to the %s in that order", (place, order) => {
    const queues = new KeyQueues<number>();
    for (const item of [1, 2, 3]) queues.enqueue(String(item), item);
    const taken = queues.takeNext();
    if (taken) queues.requeue(taken, place);
    expect(headsOf(queues)).toEqual(order);
  });

  test("never has two of one user in work, keeps the order of each user, and returns each item once", () => {
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

  test("reports the items of a queue, and completes several of them at once", () => {
    const queues = new KeyQueues<number>();
    for (const item of [1, 2, 3, 40, 5]) queues.enqueue("a", item);
    queues.enqueue("b", 6);
    const queue = queues.takeNext();
    if (!queue) throw new Error("No queue");
    expect([queues.isBusy("a"), queues.isBusy("b"), queues.isBusy("c")]).toEqual([true, false, false]);
    expect([queues.lengthOf("a"), queues.lengthOf("b"), queues.lengthOf("c")]).toEqual([5, 1, 0]);
    expect(queues.queuesHeavierThan(1, () => 1).map(({ key }) => key)).toEqual(["a"]);
    expect([queues.findItem((item) => item === 40), queues.findItem((item) => item === 7)]).toEqual([40, undefined]);
    expect(queues.peekRun(queue, 10, (item) => item < 10)).toEqual([1, 2, 3]);
    expect(queues.peekRun(queue, 2, () => true)).toEqual([1, 2]);
    queues.completeHead(queue, 3);
    expect([queues.isBusy("a"), queues.lengthOf("a")]).toEqual([false, 2]);
    expect(headsOf(queues)).toEqual([6, 40]);
  });

  test("takes the oldest queue whose head matches, and leaves the others in their order", () => {
    const queues = new KeyQueues<number>();
    for (const [index, key] of ["a", "b", "c", "d"].entries()) queues.enqueue(key, index);
    expect(queues.takeNextWhere((item) => item >= 2)?.key).toBe("c");
    expect(queues.takeNextWhere((item) => item > 9)).toBeUndefined();
    expect([queues.isBusy("a"), queues.isBusy("c")]).toEqual([false, true]);
    expect(headsOf(queues)).toEqual([0, 1, 3]);
  });
});
