import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { type OffsetCommit, type OffsetEntry, OffsetTracker } from "../../src/offsets/tracker.ts";

/** One partition with one owner after another, and what a naive model knows of it. */
const createWorld = (offsets: readonly number[]) => {
  const end = (offsets.at(-1) ?? -1) + 1;
  /** What this owner knows to be completed: by itself, or from the commit that it started at. */
  let completed = new Set<number>();
  /** Completed at the time of the last confirmed commit: never to be offered again. */
  let safe = new Set<number>();
  let last: OffsetCommit = { offset: 0, metadata: "" };
  let tracker = new OffsetTracker({ startOffset: 0 });
  let open: OffsetEntry[] = [];
  let next = 0;

  const offer = () => {
    const offset = offsets[next++];
    if (offset === undefined) return tracker.skipTo(end);
    const known = tracker.wasCompleted(offset) || offset < tracker.position;
    const entry = tracker.register(offset);
    expect(entry !== undefined && safe.has(offset), "offered what was safe").toBe(false);
    expect(entry === undefined && !completed.has(offset), "passed over what is open").toBe(false);
    expect(known).toBe(entry === undefined);
    if (entry) open.push(entry);
    return undefined;
  };
  const steps = {
    see: offer,
    finish: (number: number) => {
      for (const entry of open.splice(number % Math.max(1, open.length), 1)) {
        tracker.complete(entry);
        completed.add(entry.offset);
      }
    },
    commit: () => {
      const commit = tracker.nextCommit();
      if (!commit) return;
      expect(commit.metadata.length).toBeLessThanOrEqual(4_000);
      expect(commit.offset).toBeGreaterThanOrEqual(last.offset);
      tracker.confirm(commit);
      expect(tracker.nextCommit()).toBeUndefined();
      last = commit;
      safe = new Set(completed);
    },
    restart: () => {
      tracker = new OffsetTracker({ startOffset: last.offset, metadata: last.metadata });
      completed = new Set(safe);
      open = [];
      next = offsets.findIndex((offset) => offset >= last.offset);
      if (next === -1) next = offsets.length;
    },
  };
  const check = () => {
    const firstOpen = offsets.find((offset) => !completed.has(offset)) ?? end;
    const committable = Math.min(tracker.position, ...open.map(({ offset }) => offset));
    const { position } = tracker;
    expect([tracker.committableOffset, tracker.inFlightWindow, committable <= firstOpen]).toEqual([
      committable,
      position - committable,
      true,
    ]);
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
  let tracker = new OffsetTracker({ startOffset: 0 });
  let open: { entry: OffsetEntry; index: number }[] = [];
  let next = 0;
  const see = (): void => {
    const size = sizes[next];
    if (size === undefined) return;
    const offset = next++;
    const entry = tracker.register(offset, size);
    const left = Array.from({ length: size }, (_, index) => index).filter(
      (index) => !entry?.completedEvents?.has(index),
    );
    const known = safe[offset] ?? new Set();
    expect(entry ? left : []).toEqual(Array.from({ length: size }, (_, index) => index).filter((n) => !known.has(n)));
    if (entry) open.push(...left.map((index) => ({ entry, index })));
  };
  const finish = (pick: number): void => {
    for (const { entry, index } of open.splice(pick % Math.max(1, open.length), 1)) {
      tracker.complete(entry, index);
      safe[entry.offset]?.add(index);
    }
  };
  const restart = (): void => {
    const commit = tracker.nextCommit();
    expect(commit?.metadata.length ?? 0).toBeLessThanOrEqual(4_000);
    if (commit) tracker = new OffsetTracker({ startOffset: commit.offset, metadata: commit.metadata });
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

describe("OffsetTracker", () => {
  test("loses no open event, offers no completed one again and never commits past an open offset, through all owners", () => {
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

  test("commits its start offset until it has registered an offset", () => {
    const tracker = new OffsetTracker({ startOffset: 7 });
    expect(tracker.nextCommit()).toEqual({ offset: 7, metadata: "" });
    tracker.confirm({ offset: 7, metadata: "" });
    expect(tracker.nextCommit()).toBeUndefined();
  });

  test("commits the committable offset, and the completed offsets beyond it", () => {
    const tracker = new OffsetTracker({ startOffset: 5 });
    const entries = [5, 6, 8, 9].map((offset) => tracker.register(offset));
    for (const entry of [entries[0], entries[2], entries[3]]) if (entry) tracker.complete(entry);
    expect(tracker.nextCommit()).toEqual({ offset: 6, metadata: "g1:2.2" });
  });

  test("commits a record of several events only when each of them is completed", () => {
    const tracker = new OffsetTracker({ startOffset: 5 });
    const entry = tracker.register(5, 2);
    tracker.register(6);
    if (!entry) throw new Error("Not taken up");
    tracker.complete(entry, 1);
    expect([tracker.committableOffset, tracker.nextCommit()]).toEqual([5, { offset: 5, metadata: ";0.Ag==" }]);
    tracker.complete(entry, 0);
    expect(tracker.committableOffset).toBe(6);
  });

  test("hands on which events of a list are completed, also of a list that it has not read itself", () => {
    const first = new OffsetTracker({ startOffset: 5 });
    const lists = [5, 6, 7].map((offset) => first.register(offset, 3));
    for (const [number, entry] of lists.entries()) if (entry && number !== 1) first.complete(entry, number);
    const second = new OffsetTracker({ startOffset: 5, metadata: first.nextCommit()?.metadata });
    expect(second.register(5, 3)).toMatchObject({ openEvents: 2, completedEvents: new Set([0]) });
    expect(second.register(6, 3)).toMatchObject({ openEvents: 3, completedEvents: new Set() });
    const third = new OffsetTracker({ startOffset: 5, metadata: second.nextCommit()?.metadata });
    const entries = [5, 6, 7].map((offset) => third.register(offset, 3));
    expect(entries).toMatchObject([
      { openEvents: 2 },
      { openEvents: 3 },
      { openEvents: 2, completedEvents: new Set([2]) },
    ]);
  });

  test("offers of every list only the events that are not safe, through all owners, and loses none", () => {
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

  test("hands on what an earlier owner completed and it has not read itself", () => {
    const tracker = new OffsetTracker({ startOffset: 5, metadata: "g1:1.1.3.2" });
    tracker.register(5);
    expect(tracker.register(6)).toBeUndefined();
    expect(tracker.nextCommit()).toEqual({ offset: 5, metadata: "g1:1.1.3.2" });
  });

  test("registers an offset only once, and never goes back", () => {
    const tracker = new OffsetTracker({ startOffset: 5 });
    expect([tracker.register(4), tracker.register(5)?.offset, tracker.register(5)]).toEqual([undefined, 5, undefined]);
    tracker.skipTo(3);
    expect(tracker.position).toBe(6);
    tracker.skipTo(9);
    expect([tracker.position, tracker.committableOffset]).toEqual([9, 5]);
  });

  test("keeps its commit small whatever the pattern, and what it leaves out is processed again", () => {
    const tracker = new OffsetTracker({ startOffset: 0 });
    const entries = Array.from({ length: 20_000 }, (_, n) => tracker.register(n * 50));
    for (const entry of entries.slice(1)) if (entry) tracker.complete(entry);
    const commit = tracker.nextCommit();
    expect(commit?.metadata.length).toBeLessThanOrEqual(4_000);
    const successor = new OffsetTracker({ startOffset: 0, metadata: commit?.metadata });
    expect([successor.wasCompleted(0), successor.wasCompleted(50), successor.wasCompleted(51)]).toEqual([
      false,
      true,
      false,
    ]);
  });

  test("is fully committed until an event is completed, and again when the broker has confirmed the commit", () => {
    const tracker = new OffsetTracker({ startOffset: 5 });
    const entry = tracker.register(5);
    expect(tracker.isFullyCommitted()).toBe(true);
    if (entry) tracker.complete(entry);
    expect(tracker.isFullyCommitted()).toBe(false);
    const commit = tracker.nextCommit();
    if (commit) tracker.confirm(commit);
    expect(tracker.isFullyCommitted()).toBe(true);
    tracker.skipTo(9);
    expect(tracker.isFullyCommitted()).toBe(false);
  });

  test("starts without completed offsets if the metadata is not its own, and never throws", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.string().map((text) => `g1:${text}`),
          fc.constant(null),
        ),
        (metadata) => {
          const tracker = new OffsetTracker({ startOffset: 3, metadata });
          expect(tracker.committableOffset).toBe(3);
          expect(tracker.nextCommit()?.offset).toBe(3);
        },
      ),
    );
  });
});
