import { setTimeout as sleep } from "node:timers/promises";

import type { EventFlow } from "./flow.ts";
import type { DuplicateExcuse } from "./judge.ts";
import type { Ledger } from "./ledger.ts";
import type { FaultRun } from "./scene.ts";
import type { ConsumerLag, DrillCluster } from "./stage.ts";

/** Commits come every second; a quarter more for their way to the broker. */
const commitEveryMs = 1_250;
/** Calls of a killed process may still be taken for as long as the target is slow. */
const killedSettleMs = 10_000;
const brokerSettleMs = 5_000;
const drainLimitMs = 120_000;

/** The times in which the faults excuse that something comes twice. */
export const duplicateExcusesOf = (drilled: readonly FaultRun[]): DuplicateExcuse[] =>
  drilled.flatMap(({ kind, startedAt, endedAt, crashed }): DuplicateExcuse[] => {
    const from = startedAt - commitEveryMs;
    if (crashed !== undefined)
      return [{ cause: "crash", launch: crashed, from, to: kind === "kill" ? endedAt + killedSettleMs : endedAt }];
    // Only the first commits fail: then the member has left the group, and delivers nothing more.
    if (kind === "rights") return [{ cause: "right taken away", from, to: startedAt + brokerSettleMs }];
    return kind === "broker" ? [{ cause: "broker lost", from, to: endedAt + brokerSettleMs }] : [];
  });

/** Waits until nothing is left to do; after the limit it gives what is left. */
export const untilDrained = async (
  stage: DrillCluster,
): Promise<{ drainedMs: number; uncommitted: readonly ConsumerLag[] }> => {
  const startedAt = Date.now();
  for (;;) {
    const left = await stage.backlog();
    const drainedMs = Date.now() - startedAt;
    if (left.length === 0 || drainedMs > drainLimitMs) return { drainedMs, uncommitted: left };
    await sleep(500);
  }
};

/** Looks into the source topics if they do not hold as many records as were sent. */
export const checkSource = async (stage: DrillCluster, flow: EventFlow, { entries }: Ledger) => {
  const repeated = new Set(flow.repeated);
  if ((await stage.sourceRecords()) === flow.sent() - flow.deletedIds.length) return { repeated, unproduced: [] };
  const seen = new Set<string>(flow.deletedIds);
  for (const { id } of await stage.readSources()) (seen.has(id) ? repeated : seen).add(id);
  return { repeated, unproduced: [...entries.keys()].filter((id) => !seen.has(id)) };
};
