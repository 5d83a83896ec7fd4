import type { RawEvent, SegmentEvent } from "./event.ts";
import { isoOf } from "./iso.ts";
import { type Skipped, skipped } from "./outcome.ts";

/**
 * One call that an event means to Gainsight: which kind, and the JSON text to send. As bytes, which they have to become in
 * any case: while the event waits, a text in the heap would be copied by every garbage collection.
 */
export interface Call {
  readonly kind: "call";
  readonly call: "identify" | "track" | "group";
  readonly body: Uint8Array;
}

export interface HandlerOptions {
  readonly isAllowed: (event: string) => boolean;
}

/** Takes an event and the time of its Kafka record (ms since 1970), which stands in where the event has no time of its own. */
export type Handler = (event: SegmentEvent, recordTime: number) => Call | Skipped;

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
const toBody = (raw: RawEvent, recordTime: number): Uint8Array => {
  const changed = corrections(raw, recordTime);
  for (const _ in changed) return Buffer.from(JSON.stringify({ ...raw, ...changed }));
  return Buffer.from(JSON.stringify(raw));
};

/** What an event means: a call, or nothing to do and why. Identify and group always go; track goes by the allow-list. */
export const createHandler =
  ({ isAllowed }: HandlerOptions): Handler =>
  (event, recordTime) => {
    switch (event.type) {
      case "identify":
      case "group":
        return { kind: "call", call: event.type, body: toBody(event.raw, recordTime) };
      case "track":
        return isAllowed(event.event)
          ? { kind: "call", call: "track", body: toBody(event.raw, recordTime) }
          : skipped("filtered_by_allow_list");
      case "other":
        return skipped("unsupported_event_type");
    }
  };
