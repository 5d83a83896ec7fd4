import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

import { RetryBacklog } from "../src/ordering/retry-backlog.ts";
import type { ScannedRecord } from "../src/ordering/scanned-records.ts";

const records = 100_000;

/** A record as read from headers: its strings share no memory. */
const scannedRecord = (n: number, perUser: number): ScannedRecord => {
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
  `${(bytes / 1e6).toFixed(1)} MB, ${Math.round(bytes / records)} bytes per record`;

/** Prints the memory that waiting retry records use: while they wait, and while the backlog is rebuilt. */
export const benchParked = (): void => {
  const heapBytes = createHeapMeter();
  // Keeps the backlogs alive: collecting an earlier one would distort the next round.
  const kept: RetryBacklog[] = [];
  for (const perUser of [1, 100]) {
    const before = heapBytes();
    const scanned = Array.from({ length: records }, (_, n) => scannedRecord(n, perUser));
    const backlog = new RetryBacklog(scanned);
    kept.push(backlog);
    const rebuilding = heapBytes() - before;
    scanned.length = 0;
    const waiting = heapBytes() - before;
    console.log(`${backlog.recordCount} records of ${backlog.userCount} users`);
    console.table({ waiting: bytesText(waiting), rebuilding: bytesText(rebuilding) });
  }
};
