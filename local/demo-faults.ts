import { setTimeout as sleep } from "node:timers/promises";

import type { DemoData } from "./demo-data.ts";
import type { DemoTopics } from "./demo-topics.ts";

/** A fault of the stand-in, and the line that the demo prints when the fault starts. */
export interface DemoFault {
  /** When the fault starts, in milliseconds after the first event. */
  readonly atMs: number;
  readonly message: string;
  /** The body of `POST /standin/faults`. */
  readonly fault: object;
}

export const RETRY_DELAYS = ["1s", "3s"] as const;
/** The records are spread over this time, so that there is something to see. */
const PRODUCE_MS = 22_000;
const BATCH_EVERY_MS = 100;

export function createDemoFaults(failingUser: string): readonly DemoFault[] {
  return [
    {
      atMs: 3000,
      message:
        "Gainsight is down for 5 s and answers every call with 503. The circuit breaker opens and delivery pauses; nothing is lost.",
      fault: { kind: "outage", mode: "503", durationMs: 5000 },
    },
    {
      atMs: 11_500,
      message:
        "Gainsight throttles for 1 s: it answers 429 with Retry-After: 2. The service makes no calls for 2 s; no event loses an attempt.",
      fault: { kind: "status", status: 429, retryAfter: "2", durationMs: 1000 },
    },
    {
      atMs: 16_000,
      message: `Gainsight answers the next 6 calls for ${failingUser} with 500. The failed event moves through the retry topics (${RETRY_DELAYS.join(", ")}), later events of this user wait behind it, and all other users continue.`,
      fault: { kind: "status", status: 500, count: 6, match: { userId: failingUser } },
    },
  ];
}

/** Never a negative time: Node warns about that. */
const sleepUntil = (time: number): Promise<void> => sleep(Math.max(0, time - Date.now()));

/** Starts each fault of the stand-in at its time. */
export async function runDemoFaults(
  faults: readonly DemoFault[],
  target: { url: string; say: (line: string) => void },
): Promise<void> {
  const startedAt = Date.now();
  for (const { atMs, message, fault } of faults) {
    await sleepUntil(startedAt + atMs);
    const response = await fetch(`${target.url}/standin/faults`, { method: "POST", body: JSON.stringify(fault) });
    if (!response.ok) throw new Error(`The stand-in rejects a fault: ${await response.text()}`);
    target.say(message);
  }
}

/** Produces all records in order, spread evenly over PRODUCE_MS. */
export async function produceAll(topics: DemoTopics, { records }: DemoData): Promise<void> {
  const startedAt = Date.now();
  const batches = PRODUCE_MS / BATCH_EVERY_MS;
  const size = Math.ceil(records.length / batches);
  for (let batch = 0; batch * size < records.length; batch++) {
    await sleepUntil(startedAt + batch * BATCH_EVERY_MS);
    await topics.send(records.slice(batch * size, (batch + 1) * size));
  }
}
