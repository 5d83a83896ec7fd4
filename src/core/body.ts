import type { RawEvent } from "./event.ts";
import { isoOf } from "./iso.ts";

const envelopeTimes = ["timestamp", "originalTimestamp", "sentAt", "receivedAt"] as const;
const isoWithMs = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

const toIso = (value: unknown): string | undefined => {
  if (typeof value !== "string" || isoWithMs.test(value)) return undefined;
  const time = Date.parse(value);
  return Number.isNaN(time) ? undefined : new Date(time).toISOString();
};

const corrections = (raw: RawEvent, recordTime: number): Record<string, string> => {
  const changed: Record<string, string> = {};
  for (const name of envelopeTimes) {
    const iso = toIso(raw[name]);
    if (iso !== undefined) changed[name] = iso;
  }
  const { timestamp } = raw;
  if (typeof timestamp !== "string" || Number.isNaN(Date.parse(timestamp))) changed["timestamp"] = isoOf(recordTime);
  return changed;
};

/** The whole event as it goes on the clickstream wire: envelope times as ISO UTC with milliseconds, nothing nested touched. */
export const toBody = (raw: RawEvent, recordTime: number): Uint8Array => {
  const changed = corrections(raw, recordTime);
  for (const _ in changed) return Buffer.from(JSON.stringify({ ...raw, ...changed }));
  return Buffer.from(JSON.stringify(raw));
};
