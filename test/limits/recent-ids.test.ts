import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { RecentIds } from "../../src/limits/recent-ids.ts";

interface Known {
  readonly id: string;
  time: number;
}

/** What RecentIds does, in its plainest form: oldest first. */
const addTo = (model: Known[], one: Known, { max, since }: { max: number; since: number }): void => {
  while (model[0] && model[0].time < since) model.shift();
  while (model.length >= max) model.shift();
  const known = model.find(({ id }) => id === one.id);
  if (known) known.time = one.time;
  else model.push(one);
};

describe("RecentIds", () => {
  test("knows exactly the newest ids with their times, as a plain list would, through growth and forgetting", () => {
    const steps = fc.array(fc.record({ id: fc.nat(400), wait: fc.nat(3), window: fc.integer({ min: 1, max: 500 }) }), {
      maxLength: 800,
      size: "max",
    });
    fc.assert(
      fc.property(steps, fc.integer({ min: 1, max: 300 }), fc.nat(), (script, max, seed) => {
        const ids = new RecentIds({ maxSize: max, seed });
        const model: Known[] = [];
        let now = 1_000;
        for (const { id: number, wait, window } of script) {
          const id = `id-${number}`;
          now += wait;
          ids.add(id, now, now - window);
          addTo(model, { id, time: now }, { max, since: now - window });
        }
        for (let number = 0; number <= 400; number++) {
          const id = `id-${number}`;
          expect(ids.addedAtSeconds(id)).toBe(model.find((one) => one.id === id)?.time);
        }
        expect(ids.size).toBe(model.length);
      }),
      { numRuns: 300 },
    );
  });

  test("keeps a hundred thousand ids that differ in one digit apart, and forgets the oldest first", () => {
    const ids = new RecentIds({ maxSize: 100_000, seed: 42 });
    const idOf = (number: number) => `3f2b8a10-0000-4000-8000-${String(number).padStart(12, "0")}`;
    const knownTooEarly: number[] = [];
    for (let number = 0; number < 150_000; number++) {
      if (ids.addedAtSeconds(idOf(number)) !== undefined) knownTooEarly.push(number);
      ids.add(idOf(number), number, 0);
    }
    expect(knownTooEarly).toEqual([]);
    expect([ids.size, ids.addedAtSeconds(idOf(49_999)), ids.addedAtSeconds(idOf(50_000))]).toEqual([
      100_000,
      undefined,
      50_000,
    ]);
  });

  test("keeps fewer ids from the next one on if maxSize becomes smaller", () => {
    const ids = new RecentIds({ maxSize: 10, seed: 1 });
    for (let number = 0; number < 10; number++) ids.add(`id-${number}`, 1, 0);
    ids.maxSize = 3;
    ids.add("one more", 1, 0);
    expect([ids.size, ids.addedAtSeconds("id-7"), ids.addedAtSeconds("id-8"), ids.addedAtSeconds("one more")]).toEqual([
      3,
      undefined,
      1,
      1,
    ]);
  });
});
