import { setTimeout as sleep } from "node:timers/promises";

import type { Flow } from "./flow.ts";
import type { Excuse } from "./judge.ts";
import type { Ledger } from "./ledger.ts";
import type { Drilled } from "./scene.ts";
import type { Backlog, Stage } from "./stage.ts";

/** Commits come every second; a quarter more for their way to the broker. */
const commitEveryMs = 1_250;
/** Calls of a killed process may still be taken for as long as the target is slow. */
const killedSettleMs = 10_000;
const brokerSettleMs = 5_000;
const drainLimitMs = 120_000;

/** The times in which the faults excuse that something comes twice. */
export const excusesOf = (drilled: readonly Drilled[]): Excuse[] =>
  drilled.flatMap(({ kind, startedAt, endedAt, crashed }): Excuse[] => {
    const from = startedAt - commitEveryMs;
    if (crashed !== undefined)
      return [{ cause: "crash", launch: crashed, from, to: kind === "kill" ? endedAt + killedSettleMs : endedAt }];
    // Only the first commits fail: then the member has left the group, and delivers nothing more.
    if (kind === "rights") return [{ cause: "right taken away", from, to: startedAt + brokerSettleMs }];
    return kind === "broker" ? [{ cause: "broker lost", from, to: endedAt + brokerSettleMs }] : [];
  });

/** Waits until nothing is left to do; after the limit it gives what is left. */
export const drain = async (stage: Stage): Promise<{ drainedMs: number; left: readonly Backlog[] }> => {
  const startedAt = Date.now();
  for (;;) {
    const left = await stage.backlog();
    const drainedMs = Date.now() - startedAt;
    if (left.length === 0 || drainedMs > drainLimitMs) return { drainedMs, left };
    await sleep(500);
  }
};

/** Looks into the source topics if they do not hold as many records as were sent. */
export const checkSource = async (stage: Stage, flow: Flow, { entries }: Ledger) => {
  const repeated = new Set(flow.repeated);
  if ((await stage.sourceRecords()) === flow.sent() - flow.vanished.length) return { repeated, unproduced: [] };
  const seen = new Set<string>(flow.vanished);
  for (const { id } of await stage.readSources()) (seen.has(id) ? repeated : seen).add(id);
  return { repeated, unproduced: [...entries.keys()].filter((id) => !seen.has(id)) };
};
