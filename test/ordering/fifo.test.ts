import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { Fifo } from "../../src/ordering/fifo.ts";

type Step = "push" | "unshift" | "shift";
// Runs of the same step, so that the queue grows long enough to be compacted.
const runs = fc.array(
  fc.tuple(fc.constantFrom<Step[]>("push", "unshift", "shift"), fc.oneof(fc.nat(5), fc.nat(2_500))),
  { maxLength: 10 },
);

describe("Fifo", () => {
  test("does what an array does, however long it is", () => {
    fc.assert(
      fc.property(runs, (steps) => {
        const fifo = new Fifo<number>();
        const array: number[] = [];
        let item = 0;
        const both: Record<Step, () => unknown[]> = {
          push: () => [fifo.push(++item), void array.push(item)],
          unshift: () => [fifo.unshift(++item), void array.unshift(item)],
          shift: () => [fifo.shift(), array.shift()],
        };
        const expanded = steps.flatMap(([step, times]) => Array.from({ length: times }, () => step));
        const differs = expanded.some((step) => {
          const [got, wanted] = both[step]();
          return got !== wanted || fifo.peek() !== array[0] || fifo.length !== array.length;
        });
        expect(differs).toBe(false);
        expect([...fifo.values()]).toEqual(array);
      }),
      { numRuns: 200 },
    );
  }, 30_000);

  test("stays quick with a million items", () => {
    const fifo = new Fifo<number>();
    for (let item = 0; item < 1_000_000; item++) fifo.push(item);
    let sum = 0;
    for (let item = fifo.shift(); item !== undefined; item = fifo.shift()) sum += item;
    expect(sum).toBe(499_999_500_000);
    expect(fifo.length).toBe(0);
    expect(fifo.shift()).toBeUndefined();
  });
});
