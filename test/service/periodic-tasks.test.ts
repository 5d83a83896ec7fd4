import { afterEach, beforeEach, expect, it, vi } from "vitest";

import type { App } from "../../src/service/compose.ts";
import { startTimers } from "../../src/service/periodic-tasks.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it("a member at work commits every second, lets make way, and asks about its topics every ten, also while it joins", async () => {
  const counts = { commits: 0, questions: 0, relieved: 0, unreadable: 0 };
  const membership = { state: "owner" };
  const stop = startTimers({
    member: {
      membership,
      commits: { run: async () => void counts.commits++ },
      intake: { relieve: () => void counts.relieved++ },
    },
    topicWatch: { run: async () => void counts.questions++ },
    unreadableWatch: { run: async () => void counts.unreadable++ },
  } as unknown as App);
  await vi.advanceTimersByTimeAsync(20_000);
  expect(counts).toEqual({ commits: 20, questions: 2, relieved: 80, unreadable: 10 });
  membership.state = "joining";
  await vi.advanceTimersByTimeAsync(20_000);
  expect(counts).toEqual({ commits: 20, questions: 4, relieved: 80, unreadable: 10 });
  stop();
  expect(vi.getTimerCount()).toBe(0);
});
