import { type Json, type JsonObject, isBlank } from "../json/json.ts";
import { toIso } from "./iso.ts";
import { isPlausibleEventTime, parseEventTime } from "./parse-time.ts";
import { addRepair, type Repair, type Repairs } from "./repairs.ts";

/** The times that replace a missing `timestamp`, in milliseconds since 1970. */
export interface TimeFallbacks {
  /** The timestamp of the event's record in the source topic; -1 if the record has none (Kafka's own value). */
  readonly recordTime: number;
  /** When the first attempt failed; set from the first retry on. */
  readonly firstFailedAt?: number | undefined;
  /** The wall clock; asked if no other time is known. */
  readonly wallNow: () => number;
}

const timeFieldNames = ["timestamp", "originalTimestamp", "sentAt", "receivedAt"] as const;
type EnvelopeTimes = { [Name in (typeof timeFieldNames)[number]]?: number };

/** The clocks of two servers differ by less than this. */
const clockToleranceMs = 5 * 60_000;

/**
 * A time in normal form from 1980 to 2099, except February 29: nearly all events have such times. A text that matches is a date
 * that exists, so it needs no parsing.
 */
const normalTimePattern =
  /^(?:19[89]\d|20\d\d)-(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])|(?:0[13-9]|1[0-2])-(?:29|30)|(?:0[13578]|1[02])-31)T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{3}Z$/;
const isNormalTime = (value: Json | undefined): boolean => typeof value === "string" && normalTimePattern.test(value);
const isNormalTimeOrAbsent = (value: Json | undefined): boolean =>
  value === undefined || value === null || isNormalTime(value);

/** Undefined if the time is later than `receivedAt`: an event cannot happen after it was received, so a clock was wrong. */
const ifBeforeReceived = (time: number | undefined, receivedAt = Number.POSITIVE_INFINITY): number | undefined =>
  time !== undefined && time <= receivedAt + clockToleranceMs ? time : undefined;

/**
 * Segment's rule for `timestamp`. A device's clock may be wrong by years, but the time between two of its readings is right.
 * Source: https://segment.com/docs/connections/spec/common/#timestamps
 */
const clockCorrectedTime = ({ originalTimestamp, sentAt, receivedAt }: EnvelopeTimes): number | undefined =>
  originalTimestamp === undefined || sentAt === undefined || receivedAt === undefined
    ? undefined
    : receivedAt - (sentAt - originalTimestamp);

const fallbackTimestamp = (
  times: EnvelopeTimes,
  { recordTime, firstFailedAt, wallNow }: TimeFallbacks,
): readonly [Repair, number] => {
  const { originalTimestamp, sentAt, receivedAt } = times;
  const candidates: readonly (readonly [Repair, number | undefined])[] = [
    ["timestamp_computed", ifBeforeReceived(clockCorrectedTime(times), receivedAt)],
    ["timestamp_from_original", ifBeforeReceived(originalTimestamp, receivedAt)],
    ["timestamp_from_record", recordTime],
    ["timestamp_from_received", receivedAt],
    ["timestamp_from_sent", sentAt],
    ["timestamp_from_clock", firstFailedAt],
  ];
  for (const [repair, time] of candidates) if (time !== undefined && isPlausibleEventTime(time)) return [repair, time];
  return ["timestamp_from_clock", wallNow()];
};

/** Writes the envelope's times that can be parsed to `out` as ISO 8601, and returns them in milliseconds. */
const parseTimes = (event: JsonObject, out: Record<string, Json | undefined>, repairs: Repairs): EnvelopeTimes => {
  const times: EnvelopeTimes = {};
  for (const name of timeFieldNames) {
    const written = event[name];
    if (written === undefined || isBlank(written)) continue;
    const parsed = parseEventTime(written);
    if (parsed) {
      times[name] = parsed.time;
      out[name] = toIso(parsed.time);
    }
    if (!parsed?.isFullIso) addRepair(repairs, parsed ? "time_format" : "time_unreadable");
  }
  return times;
};

/**
 * Writes the four times of the envelope as ISO 8601 in UTC with milliseconds. Nested times stay unchanged. Every event gets a
 * `timestamp`, the same one at every retry. A time that cannot be parsed stays unchanged; such a `timestamp` moves to
 * `originalTimestamp` if that field is free.
 */
export const normaliseTimes = (event: JsonObject, repairs: Repairs, timeFallbacks: TimeFallbacks): JsonObject => {
  const { timestamp, originalTimestamp, sentAt, receivedAt } = event;
  if (
    isNormalTime(timestamp) &&
    isNormalTimeOrAbsent(originalTimestamp) &&
    isNormalTimeOrAbsent(sentAt) &&
    isNormalTimeOrAbsent(receivedAt)
  )
    return event;
  const out: Record<string, Json | undefined> = { ...event };
  const times = parseTimes(event, out, repairs);
  if (times.timestamp !== undefined) return out;
  if (!isBlank(timestamp) && isBlank(originalTimestamp)) out["originalTimestamp"] = timestamp;
  const [repair, time] = fallbackTimestamp(times, timeFallbacks);
  addRepair(repairs, repair);
  out["timestamp"] = toIso(time);
  return out;
};
