import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import type { CallResult } from "../../src/core/outcome/classify.ts";
import { CallTimeouts } from "../../src/delivery/call-timeouts.ts";

/** Calls that are removed when they end, as HTTP calls are. */
const createCalls = (deadlines: CallTimeouts) => {
  const ended: string[] = [];
  const begin = (name: string): { readonly place: number; readonly finish: () => void } => {
    const end = ({ kind }: CallResult): void => {
      ended.push(`${name} ${kind} ${performance.now()}`);
      deadlines.remove(place);
    };
    const place = deadlines.add({ startedAt: performance.now(), endWith: end });
    return { place, finish: () => deadlines.remove(place) };
  };
  return { ended, begin };
};

describe("CallTimeouts", () => {
  beforeEach(() => {
    vi.useFakeTimers({ now: 0 });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it("ends each call after its time-out, with one timer", () => {
    const { ended, begin } = createCalls(new CallTimeouts(100));
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

  it("reuses the index of an ended call, and times the next one on its own", () => {
    const { ended, begin } = createCalls(new CallTimeouts(100));
    const first = begin("a");
    vi.advanceTimersByTime(90);
    first.finish();
    expect(begin("b").place).toBe(first.place);
    vi.advanceTimersByTime(1_000);
    expect(ended).toEqual(["b timeout 190"]);
  });

  it("times late calls as well as early ones, at any index", () => {
    const { ended, begin } = createCalls(new CallTimeouts(100));
    const first = begin("a");
    begin("b");
    vi.advanceTimersByTime(50);
    first.finish();
    begin("c");
    vi.advanceTimersByTime(1_000);
    expect(ended).toEqual(["b timeout 100", "c timeout 150"]);
  });

  it("ends all calls in flight on abort, and none afterwards", () => {
    const deadlines = new CallTimeouts(100);
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
