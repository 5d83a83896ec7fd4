import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { type Commit, type Slot, Tracker } from "../../src/offsets/tracker.ts";

/** One partition through the hands of several owners, and what a naive model knows of it. */
const createWorld = (offsets: readonly number[]) => {
  const end = (offsets.at(-1) ?? -1) + 1;
  /** What this owner knows to be finished: by itself, or by the commit that it began with. */
  let finished = new Set<number>();
  /** Finished at the time of the last confirmed commit: never to be offered again. */
  let safe = new Set<number>();
  let last: Commit = { offset: 0, metadata: "" };
  let tracker = new Tracker({ start: 0 });
  let open: Slot[] = [];
  let next = 0;

  const offer = () => {
    const offset = offsets[next++];
    if (offset === undefined) return tracker.skipTo(end);
    const known = tracker.wasFinished(offset) || offset < tracker.position;
    const slot = tracker.see(offset);
    expect(slot !== undefined && safe.has(offset), "offered what was safe").toBe(false);
    expect(slot === undefined && !finished.has(offset), "passed over what is open").toBe(false);
    expect(known).toBe(slot === undefined);
    if (slot) open.push(slot);
    return undefined;
  };
  const steps = {
    see: offer,
    finish: (number: number) => {
      for (const slot of open.splice(number % Math.max(1, open.length), 1)) {
        tracker.finish(slot);
        finished.add(slot.offset);
      }
    },
    commit: () => {
      const commit = tracker.pending();
      if (!commit) return;
      expect(commit.metadata.length).toBeLessThanOrEqual(4_000);
      expect(commit.offset).toBeGreaterThanOrEqual(last.offset);
      tracker.committed(commit);
      expect(tracker.pending()).toBeUndefined();
      last = commit;
      safe = new Set(finished);
    },
    restart: () => {
      tracker = new Tracker({ start: last.offset, metadata: last.metadata });
      finished = new Set(safe);
      open = [];
      next = offsets.findIndex((offset) => offset >= last.offset);
      if (next === -1) next = offsets.length;
    },
  };
  const check = () => {
    const firstOpen = offsets.find((offset) => !finished.has(offset)) ?? end;
    const mark = Math.min(tracker.position, ...open.map(({ offset }) => offset));
    const { position } = tracker;
    expect([tracker.mark, tracker.span, mark <= firstOpen]).toEqual([mark, position - mark, true]);
  };
  const finishAll = () => {
    while (next <= offsets.length) steps.see();
    while (open.length > 0) steps.finish(0);
    steps.commit();
    return { commit: last, end, done: [...safe] };
  };
  return { steps, check, finishAll };
};

/** A partition of lists, in which every restart follows a commit: nothing that is finished may be offered again. */
const createListWorld = (sizes: readonly number[]) => {
  const safe = sizes.map(() => new Set<number>());
  let tracker = new Tracker({ start: 0 });
  let open: { slot: Slot; index: number }[] = [];
  let next = 0;
  const see = (): void => {
    const size = sizes[next];
    if (size === undefined) return;
    const offset = next++;
    const slot = tracker.see(offset, size);
    const left = Array.from({ length: size }, (_, index) => index).filter((index) => !slot?.done?.has(index));
    const known = safe[offset] ?? new Set();
    expect(slot ? left : []).toEqual(Array.from({ length: size }, (_, index) => index).filter((n) => !known.has(n)));
    if (slot) open.push(...left.map((index) => ({ slot, index })));
  };
  const finish = (pick: number): void => {
    for (const { slot, index } of open.splice(pick % Math.max(1, open.length), 1)) {
      tracker.finish(slot, index);
      safe[slot.offset]?.add(index);
    }
  };
  const restart = (): void => {
    const commit = tracker.pending();
    expect(commit?.metadata.length ?? 0).toBeLessThanOrEqual(4_000);
    if (commit) tracker = new Tracker({ start: commit.offset, metadata: commit.metadata });
    next = commit?.offset ?? next;
    open = [];
  };
  return {
    step: (kind: string, pick: number): void => {
      if (kind === "see") see();
      else if (kind === "finish") finish(pick);
      else restart();
    },
    finishAll: (): void => {
      while (next < sizes.length) see();
      while (open.length > 0) finish(0);
    },
    isAllSafe: (): boolean => sizes.every((size, offset) => safe[offset]?.size === size),
  };
};

const gaps = fc.array(fc.oneof({ weight: 4, arbitrary: fc.constant(1) }, fc.integer({ min: 1, max: 50 })), {
  maxLength: 120,
  size: "max",
});
const logs = gaps.map((steps) => {
  let offset = -1;
  return steps.map((gap) => (offset += gap));
});
const names = ["see", "see", "see", "finish", "finish", "commit", "restart"] as const;
const scripts = fc.array(fc.tuple(fc.constantFrom(...names), fc.nat(100)), { maxLength: 150, size: "max" });

describe("Tracker", () => {
  test("loses nothing open, offers nothing safe again and never commits past an open offset, through all owners", () => {
    fc.assert(
      fc.property(logs, scripts, (offsets, script) => {
        const { steps, check, finishAll } = createWorld(offsets);
        for (const [name, number] of script) {
          steps[name](number);
          check();
        }
        const { commit, end, done } = finishAll();
        expect(commit).toEqual({ offset: end, metadata: "" });
        expect(done.toSorted((a, b) => a - b)).toEqual(offsets);
      }),
      { numRuns: 300 },
    );
  }, 30_000);

  test("commits where it starts until it has seen something", () => {
    const tracker = new Tracker({ start: 7 });
    expect(tracker.pending()).toEqual({ offset: 7, metadata: "" });
    tracker.committed({ offset: 7, metadata: "" });
    expect(tracker.pending()).toBeUndefined();
  });

  test("commits the mark, and what is finished beyond it", () => {
    const tracker = new Tracker({ start: 5 });
    const slots = [5, 6, 8, 9].map((offset) => tracker.see(offset));
    for (const slot of [slots[0], slots[2], slots[3]]) if (slot) tracker.finish(slot);
    expect(tracker.pending()).toEqual({ offset: 6, metadata: "g1:2.2" });
  });

  test("passes a record of several events only when each of them is finished", () => {
    const tracker = new Tracker({ start: 5 });
    const slot = tracker.see(5, 2);
    tracker.see(6);
    if (!slot) throw new Error("Not taken up");
    tracker.finish(slot, 1);
    expect([tracker.mark, tracker.pending()]).toEqual([5, { offset: 5, metadata: ";0.Ag==" }]);
    tracker.finish(slot, 0);
    expect(tracker.mark).toBe(6);
  });

  test("hands on which events of a list are finished, also of one that it has not come to itself", () => {
    const first = new Tracker({ start: 5 });
    const lists = [5, 6, 7].map((offset) => first.see(offset, 3));
    for (const [number, slot] of lists.entries()) if (slot && number !== 1) first.finish(slot, number);
    const second = new Tracker({ start: 5, metadata: first.pending()?.metadata });
    expect(second.see(5, 3)).toMatchObject({ open: 2, done: new Set([0]) });
    expect(second.see(6, 3)).toMatchObject({ open: 3, done: new Set() });
    const third = new Tracker({ start: 5, metadata: second.pending()?.metadata });
    const slots = [5, 6, 7].map((offset) => third.see(offset, 3));
    expect(slots).toMatchObject([{ open: 2 }, { open: 3 }, { open: 2, done: new Set([2]) }]);
  });

  test("offers of every list just the events that are not safe, through all owners, and loses none", () => {
    const step = fc.record({ kind: fc.constantFrom("see", "see", "finish", "finish", "restart"), pick: fc.nat(1_000) });
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 30 }),
        fc.array(step, { maxLength: 200, size: "max" }),
        (sizes, script) => {
          const world = createListWorld(sizes);
          for (const { kind, pick } of script) world.step(kind, pick);
          world.finishAll();
          expect(world.isAllSafe()).toBe(true);
        },
      ),
      { numRuns: 500 },
    );
  });

  test("hands on what an earlier owner had finished and it has not come to itself", () => {
    const tracker = new Tracker({ start: 5, metadata: "g1:1.1.3.2" });
    tracker.see(5);
    expect(tracker.see(6)).toBeUndefined();
    expect(tracker.pending()).toEqual({ offset: 5, metadata: "g1:1.1.3.2" });
  });

  test("takes an offset up only once, and never goes back", () => {
    const tracker = new Tracker({ start: 5 });
    expect([tracker.see(4), tracker.see(5)?.offset, tracker.see(5)]).toEqual([undefined, 5, undefined]);
    tracker.skipTo(3);
    expect(tracker.position).toBe(6);
    tracker.skipTo(9);
    expect([tracker.position, tracker.mark]).toEqual([9, 5]);
  });

  test("keeps its commit small however wild the pattern, and what it leaves out is done again", () => {
    const tracker = new Tracker({ start: 0 });
    const slots = Array.from({ length: 20_000 }, (_, n) => tracker.see(n * 50));
    for (const slot of slots.slice(1)) if (slot) tracker.finish(slot);
    const commit = tracker.pending();
    expect(commit?.metadata.length).toBeLessThanOrEqual(4_000);
    const successor = new Tracker({ start: 0, metadata: commit?.metadata });
    expect([successor.wasFinished(0), successor.wasFinished(50), successor.wasFinished(51)]).toEqual([
      false,
      true,
      false,
    ]);
  });

  test("begins anew where the metadata are not its own, and never throws", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.string().map((text) => `g1:${text}`),
          fc.constant(null),
        ),
        (metadata) => {
          const tracker = new Tracker({ start: 3, metadata });
          expect(tracker.mark).toBe(3);
          expect(tracker.pending()?.offset).toBe(3);
        },
      ),
    );
  });
});
