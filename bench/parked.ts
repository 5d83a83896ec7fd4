import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

import { RetryBacklog } from "../src/ordering/retry-backlog.ts";
import type { ScannedRecord } from "../src/ordering/scanned-records.ts";

const records = 100_000;

/** As it is read from a record's headers: texts of its own, none shared. */
const foundOf = (n: number, perUser: number): ScannedRecord => {
  const topic = Buffer.from("segment-events").toString();
  const offset = 1_000_000 + n;
  return {
    user: Buffer.from(`5f8a2c1e-7d34-4b6a-9c0f-${String(Math.floor(n / perUser)).padStart(12, "0")}`).toString(),
    eventKey: Buffer.from(`segment-events-11-${offset}`).toString(),
    position: { tier: n % 3, offset: n },
    topic,
    offset,
    timestamp: n,
    writtenAt: n,
  };
};

const createHeapMeter = (): (() => number) => {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  return () => {
    collect();
    return process.memoryUsage().heapUsed;
  };
};

const bytesText = (bytes: number): string =>
  `${(bytes / 1e6).toFixed(1)} MB, ${Math.round(bytes / records)} bytes a record`;

/** Prints what records that wait in the retry topics cost in memory, while they wait and while their chains are rebuilt. */
export const benchParked = (): void => {
  const heapBytes = createHeapMeter();
  // Else those of the round before would be collected in the middle of the next.
  const kept: RetryBacklog[] = [];
  for (const perUser of [1, 100]) {
    const before = heapBytes();
    const found = Array.from({ length: records }, (_, n) => foundOf(n, perUser));
    const chains = new RetryBacklog(found);
    kept.push(chains);
    const rebuilding = heapBytes() - before;
    found.length = 0;
    const waiting = heapBytes() - before;
    console.log(`${chains.recordCount} records of ${chains.userCount} users`);
    console.table({ waiting: bytesText(waiting), rebuilding: bytesText(rebuilding) });
  }
};
