import { describe, expect, test } from "vitest";

import { createMemoryBudget } from "../../src/limits/memory-budget.ts";

const filled = (sizes: readonly number[]) => {
  const budget = createMemoryBudget({ maxRecords: 4, maxBytes: 100 });
  for (const size of sizes) budget.reserve(size);
  return budget;
};

describe("createMemoryBudget()", () => {
  test.each<[sizes: number[], isFull: boolean, isHalfFree: boolean]>([
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
  ])("holding %j is full: %s, is half free: %s", (sizes, isFull, isHalfFree) => {
    const budget = filled(sizes);
    expect({ isFull: budget.isFull, isHalfFree: budget.isHalfFree }).toEqual({ isFull, isHalfFree });
  });

  test("counts what is reserved, and releases it", () => {
    const budget = filled([10, 20, 30]);
    budget.release(20);
    expect([budget.records, budget.bytes]).toEqual([2, 40]);
    budget.reset();
    expect([budget.records, budget.bytes, budget.isHalfFree]).toEqual([0, 0, true]);
  });
});
