import { setTimeout as sleep } from "node:timers/promises";

import type { ConsumerLag, DrillCluster } from "./cluster.ts";
import type { FaultRun } from "./context.ts";
import type { DuplicateExcuse } from "./findings.ts";
import type { EventFlow } from "./flow.ts";
import type { Ledger } from "./ledger.ts";

/** The service commits every second; 250 ms more until the broker has the commit. */
const commitEveryMs = 1_250;
/** The target may still accept calls of a killed process for this long. */
const killedCallsMs = 10_000;
const brokerRecoveryMs = 5_000;
const drainLimitMs = 120_000;

/** The times in which faults excuse duplicates. */
export const duplicateExcusesOf = (faultRuns: readonly FaultRun[]): DuplicateExcuse[] =>
  faultRuns.flatMap(({ kind, startedAt, endedAt, crashedInstance }): DuplicateExcuse[] => {
    const from = startedAt - commitEveryMs;
    if (crashedInstance !== undefined)
      return [
        { cause: "crash", launch: crashedInstance, from, to: kind === "kill" ? endedAt + killedCallsMs : endedAt },
      ];
    // Only the first commits fail. After that the instance has left the group and delivers nothing.
    if (kind === "rights") return [{ cause: "right taken away", from, to: startedAt + brokerRecoveryMs }];
    return kind === "broker" ? [{ cause: "broker lost", from, to: endedAt + brokerRecoveryMs }] : [];
  });

/** Waits until the group has committed everything. After the limit it resolves with what is not committed. */
export const untilDrained = async (
  cluster: DrillCluster,
): Promise<{ drainedMs: number; uncommitted: readonly ConsumerLag[] }> => {
  const startedAt = Date.now();
  for (;;) {
    const uncommitted = await cluster.uncommitted();
    const drainedMs = Date.now() - startedAt;
    if (uncommitted.length === 0 || drainedMs > drainLimitMs) return { drainedMs, uncommitted };
    await sleep(500);
  }
};

/** Finds repeated and missing records in the source topics. Reads them only if their number is not the number sent. */
export const checkSource = async (cluster: DrillCluster, flow: EventFlow, { entries }: Ledger) => {
  const repeated = new Set(flow.repeated);
  if ((await cluster.sourceRecords()) === flow.sent() - flow.deletedIds.length) return { repeated, unproduced: [] };
  const seen = new Set<string>(flow.deletedIds);
  for (const { id } of await cluster.readSources()) (seen.has(id) ? repeated : seen).add(id);
  return { repeated, unproduced: [...entries.keys()].filter((id) => !seen.has(id)) };
};
