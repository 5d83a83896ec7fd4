import { afterEach, beforeEach, expect, it, vi } from "vitest";

import { createLog } from "../../src/ops/log.ts";
import type { App } from "../../src/service/compose.ts";
import { shutDown } from "../../src/service/lifecycle.ts";

const nothing = async (): Promise<void> => {};
const never = (): Promise<void> => new Promise(() => {});

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A working service that is being stopped. */
const createWorld = (change: { disconnect?: () => Promise<void>; isAllCommitted?: boolean; state?: string } = {}) => {
  const lines: Record<string, unknown>[] = [];
  const destination = { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) };
  const closed = { ops: false };
  const app = {
    log: createLog({ level: "info", destination }),
    group: {
      rebalanceHandler: { state: change.state ?? "owner", leave: nothing },
      commits: { isAllCommitted: change.isAllCommitted ?? true },
      consumer: { stop: change.disconnect ?? nothing },
    },
    publisher: { stop: () => {} },
    producers: { close: nothing },
    admin: { close: nothing },
    settings: { close: () => {} },
    gainsight: { close: nothing },
  } as unknown as App;
  const stopped = shutDown(app, { close: async () => void (closed.ops = true) });
  return { lines, closed, stopped };
};

it.each<[string, () => Promise<void>, string]>([
  ["fails", () => Promise.reject(new Error("Broker not connected")), "Broker not connected"],
  ["does not end", never, "No answer within 3000 ms"],
])("a disconnect that %s after a clean commit is a warning, and the stop succeeds", async (_, disconnect, message) => {
  const { lines, closed, stopped } = createWorld({ disconnect });
  await vi.advanceTimersByTimeAsync(3_000);
  await expect(stopped).resolves.toBeUndefined();
  expect(lines).toMatchObject([{ level: "warn", err: { message } }]);
  expect(closed.ops).toBe(true);
});

it("logs nothing if all is well", async () => {
  const { lines, stopped } = createWorld();
  await vi.advanceTimersByTimeAsync(10);
  await expect(stopped).resolves.toBeUndefined();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(lines).toEqual([]);
});

it("a failed last commit makes the stop fail with a sentence, after everything is closed", async () => {
  const { closed, stopped } = createWorld({ isAllCommitted: false });
  await expect(stopped).rejects.toThrow("Cannot commit what was finished last");
  expect(closed.ops).toBe(true);
});

it("an instance that owns no partition has nothing to commit", async () => {
  const { stopped } = createWorld({ isAllCommitted: false, state: "joining" });
  await expect(stopped).resolves.toBeUndefined();
});
