import { afterEach, beforeEach, expect, it, vi } from "vitest";

import type { App } from "../../src/service/compose.ts";
import { startPeriodicTasks } from "../../src/service/periodic-tasks.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it("an owner commits every second, reviews its pauses four times a second, and checks its topics every ten seconds, also while it joins", async () => {
  const counts = { commits: 0, questions: 0, reviews: 0, unreadable: 0 };
  const rebalanceHandler = { state: "owner" };
  const stop = startPeriodicTasks({
    group: {
      rebalanceHandler,
      commits: { commitNow: async () => void counts.commits++ },
      ingest: { reviewPeriodically: () => void counts.reviews++ },
    },
    topicWatch: { checkNow: async () => void counts.questions++ },
    unreadableWatch: { check: async () => void counts.unreadable++ },
  } as unknown as App);
  await vi.advanceTimersByTimeAsync(20_000);
  expect(counts).toEqual({ commits: 20, questions: 2, reviews: 80, unreadable: 10 });
  rebalanceHandler.state = "joining";
  await vi.advanceTimersByTimeAsync(20_000);
  expect(counts).toEqual({ commits: 20, questions: 4, reviews: 80, unreadable: 10 });
  stop();
  expect(vi.getTimerCount()).toBe(0);
});
