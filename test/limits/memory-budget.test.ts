import { describe, expect, test } from "vitest";

import { createBudget } from "../../src/limits/memory-budget.ts";

const filled = (sizes: readonly number[]) => {
  const budget = createBudget({ maxRecords: 4, maxBytes: 100 });
  for (const size of sizes) budget.add(size);
  return budget;
};

describe("createBudget()", () => {
  test.each<[sizes: number[], isFull: boolean, hasRoom: boolean]>([
    [[], false, true],
    [[1, 1], false, true],
    [[1, 1, 1], false, false],
    [[1, 1, 1, 1], true, false],
    [[50], false, true],
    [[51], false, false],
    [[99], false, false],
    [[100], true, false],
    [[1_000], true, false],
    [[0, 0, 0, 0], true, false],
  ])("holding %j is full: %s, has room: %s", (sizes, isFull, hasRoom) => {
    const budget = filled(sizes);
    expect({ isFull: budget.isFull, hasRoom: budget.hasRoom }).toEqual({ isFull, hasRoom });
  });

  test("counts what is held, and forgets it", () => {
    const budget = filled([10, 20, 30]);
    budget.remove(20);
    expect([budget.records, budget.bytes]).toEqual([2, 40]);
    budget.reset();
    expect([budget.records, budget.bytes, budget.hasRoom]).toEqual([0, 0, true]);
  });
});
