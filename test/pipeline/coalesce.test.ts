import { expect, test } from "vitest";

import { coalesce } from "../../src/pipeline/coalesce.ts";

test("runs once in the next turn, however often it is called, and again if it is called after that", () => {
  const turns: (() => void)[] = [];
  const runs: number[] = [];
  const ask = coalesce(
    (callback) => void turns.push(callback),
    () => {
      runs.push(turns.length);
      if (runs.length === 1) ask();
    },
  );
  ask();
  ask();
  expect([turns.length, runs]).toEqual([1, []]);
  turns[0]?.();
  expect([turns.length, runs]).toEqual([2, [1]]);
  turns[1]?.();
  ask();
  expect([turns.length, runs]).toEqual([3, [1, 2]]);
});
