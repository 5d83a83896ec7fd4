import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import type { Answer } from "../../src/core/outcome/classify.ts";
import { Deadlines } from "../../src/delivery/time-outs.ts";

/** Calls that are removed as soon as they have ended, as those over the wire are. */
const createCalls = (deadlines: Deadlines) => {
  const ended: string[] = [];
  const begin = (name: string): { readonly place: number; readonly finish: () => void } => {
    const end = ({ kind }: Answer): void => {
      ended.push(`${name} ${kind} ${performance.now()}`);
      deadlines.remove(place);
    };
    const place = deadlines.add({ startedAt: performance.now(), end });
    return { place, finish: () => deadlines.remove(place) };
  };
  return { ended, begin };
};

describe("Deadlines", () => {
  beforeEach(() => {
    vi.useFakeTimers({ now: 0 });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it("ends each call after its time, by one timer", () => {
    const { ended, begin } = createCalls(new Deadlines(100));
    begin("a");
    vi.advanceTimersByTime(60);
    begin("b");
    expect(vi.getTimerCount()).toBe(1);
    vi.advanceTimersByTime(60);
    begin("c");
    vi.advanceTimersByTime(1_000);
    expect(ended).toEqual(["a timeout 100", "b timeout 160", "c timeout 220"]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("gives the place of a call that is over to the next, which has a time of its own", () => {
    const { ended, begin } = createCalls(new Deadlines(100));
    const first = begin("a");
    vi.advanceTimersByTime(90);
    first.finish();
    expect(begin("b").place).toBe(first.place);
    vi.advanceTimersByTime(1_000);
    expect(ended).toEqual(["b timeout 190"]);
  });

  it("watches those that come late no less than those that came first, whatever their places", () => {
    const { ended, begin } = createCalls(new Deadlines(100));
    const first = begin("a");
    begin("b");
    vi.advanceTimersByTime(50);
    first.finish();
    begin("c");
    vi.advanceTimersByTime(1_000);
    expect(ended).toEqual(["b timeout 100", "c timeout 150"]);
  });

  it("ends all that is under way on abort, and nothing afterwards", () => {
    const deadlines = new Deadlines(100);
    const { ended, begin } = createCalls(deadlines);
    begin("a");
    begin("b").finish();
    begin("c");
    deadlines.abortAll();
    vi.advanceTimersByTime(1_000);
    expect(ended).toEqual(["a aborted 0", "c aborted 0"]);
    begin("d");
    deadlines.stop();
    vi.advanceTimersByTime(1_000);
    expect(ended).toHaveLength(2);
  });
});
