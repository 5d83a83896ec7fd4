import { setTimeout as sleep } from "node:timers/promises";

import type { DemoData } from "./demo-cast.ts";
import type { DemoTopics } from "./demo-stage.ts";

/** A trouble at the target: what is said when it begins, and the fault as the stand-in takes it. */
export interface DemoFault {
  /** After the first event was produced. */
  readonly atMs: number;
  readonly say: string;
  readonly fault: object;
}

export const RETRY_DELAYS = ["1s", "3s"] as const;
/** How long the events take to come, so that there is something to see. */
const PRODUCE_MS = 22_000;
const BATCH_EVERY_MS = 100;

export function createDemoFaults(unlucky: string): readonly DemoFault[] {
  return [
    {
      atMs: 3000,
      say: "Gainsight goes down for 5 s: 503 to every call. The breaker opens and the stream holds; nothing is lost.",
      fault: { kind: "outage", mode: "503", durationMs: 5000 },
    },
    {
      atMs: 11_500,
      say: "Gainsight throttles: 429 for a second, with Retry-After: 2. Calls wait that long; no attempt is used.",
      fault: { kind: "status", status: 429, retryAfter: "2", durationMs: 1000 },
    },
    {
      atMs: 16_000,
      say: `Bad luck for ${unlucky}: the next 6 calls fail with 500. The event goes through the retry tiers (${RETRY_DELAYS.join(", ")}), the user's later ones wait behind it, all others go on.`,
      fault: { kind: "status", status: 500, count: 6, match: { userId: unlucky } },
    },
  ];
}

/** Node warns of a negative wait. */
const until = (time: number): Promise<void> => sleep(Math.max(0, time - Date.now()));

/** Switches each fault on when its time has come. */
export async function runDemoFaults(
  acts: readonly DemoFault[],
  target: { url: string; say: (line: string) => void },
): Promise<void> {
  const startedAt = Date.now();
  for (const { atMs, say, fault } of acts) {
    await until(startedAt + atMs);
    const answer = await fetch(`${target.url}/standin/faults`, { method: "POST", body: JSON.stringify(fault) });
    if (!answer.ok) throw new Error(`The stand-in refuses a fault: ${await answer.text()}`);
    target.say(say);
  }
}

/** Produces all records in their order, spread evenly over the time of the show. */
export async function produceAll(stage: DemoTopics, { records }: DemoData): Promise<void> {
  const startedAt = Date.now();
  const batches = PRODUCE_MS / BATCH_EVERY_MS;
  const size = Math.ceil(records.length / batches);
  for (let batch = 0; batch * size < records.length; batch++) {
    await until(startedAt + batch * BATCH_EVERY_MS);
    await stage.send(records.slice(batch * size, (batch + 1) * size));
  }
}
