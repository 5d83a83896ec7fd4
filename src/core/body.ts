import type { RawEvent } from "./event.ts";
import { isoOf } from "./iso.ts";

const envelopeTimes = ["timestamp", "originalTimestamp", "sentAt", "receivedAt"] as const;
const isoWithMs = /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{3}Z$/;

/** The zones that `Date.parse` knows: by their names, or as an offset behind the time of day. */
const zone = /z|gmt|ut|[ecmp][ds]t|^[^:]*:.*[+-]\d/i;

/** Without a zone of its own, a time is in UTC: `Date.parse` would take the machine's, and plain numbers for years. */
const parseTime = (text: string): number =>
  Number.isNaN(Number(text)) ? Date.parse(zone.test(text) ? text : `${text}Z`) : Number.NaN;

const toIso = (value: unknown): string | undefined => {
  if (typeof value !== "string") return undefined;
  if (isoWithMs.test(value)) return value;
  const time = parseTime(value);
  return Number.isNaN(time) ? undefined : new Date(time).toISOString();
};

const corrections = (raw: RawEvent, recordTime: number): Record<string, string> => {
  const changed: Record<string, string> = {};
  for (const name of envelopeTimes) {
    const iso = toIso(raw[name]) ?? (name === "timestamp" ? isoOf(recordTime) : undefined);
    if (iso !== undefined && iso !== raw[name]) changed[name] = iso;
  }
  return changed;
};

/**
 * The whole event as it goes on the clickstream wire: envelope times as ISO UTC with milliseconds, nothing nested touched.
 * The record's time stands in for a timestamp that is no time.
 */
export const toBody = (raw: RawEvent, recordTime: number): Uint8Array => {
  const changed = corrections(raw, recordTime);
  for (const _ in changed) return Buffer.from(JSON.stringify({ ...raw, ...changed }));
  return Buffer.from(JSON.stringify(raw));
};
