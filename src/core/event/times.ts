import { type Json, type JsonObject, isAbsent } from "../json/json.ts";
import { isEventTime, readTime } from "./read-time.ts";
import { note, type Repair, type Repairs } from "./repairs.ts";

/** What stands in for an event's own time, in milliseconds since 1970. */
export interface StandIns {
  /** The time of the record that the event first came in; Kafka says -1 if it has none. */
  readonly recordTime: number;
  /** Set from the first retry on. */
  readonly firstFailedAt?: number | undefined;
  readonly now: () => number;
}

const timeNames = ["timestamp", "originalTimestamp", "sentAt", "receivedAt"] as const;
type Times = { [Name in (typeof timeNames)[number]]?: number };

/** Clocks of servers differ by less than this. */
const toleranceMs = 5 * 60_000;

/** From 1980 to 2099, without February 29: what nearly all events have, and what is a date without another look. */
const normal =
  /^(?:19[89]\d|20\d\d)-(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])|(?:0[13-9]|1[0-2])-(?:29|30)|(?:0[13578]|1[02])-31)T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{3}Z$/;
const isNormal = (value: Json | undefined): boolean => typeof value === "string" && normal.test(value);
const isNormalOrAbsent = (value: Json | undefined): boolean => value === undefined || value === null || isNormal(value);

/** An event does not happen after it was received: a time that says so comes from a clock that was set in between. */
const beforeReceived = (time: number | undefined, receivedAt = Number.POSITIVE_INFINITY): number | undefined =>
  time !== undefined && time <= receivedAt + toleranceMs ? time : undefined;

/**
 * Segment's own rule: the device's clock may be wrong by years, but the time between two of its readings is right.
 * Source: https://segment.com/docs/connections/spec/common/#timestamps
 */
const correctedTime = ({ originalTimestamp, sentAt, receivedAt }: Times): number | undefined =>
  originalTimestamp === undefined || sentAt === undefined || receivedAt === undefined
    ? undefined
    : receivedAt - (sentAt - originalTimestamp);

const standInFor = (times: Times, { recordTime, firstFailedAt, now }: StandIns): readonly [Repair, number] => {
  const { originalTimestamp, sentAt, receivedAt } = times;
  const candidates: readonly (readonly [Repair, number | undefined])[] = [
    ["timestamp_computed", beforeReceived(correctedTime(times), receivedAt)],
    ["timestamp_from_original", beforeReceived(originalTimestamp, receivedAt)],
    ["timestamp_from_record", recordTime],
    ["timestamp_from_received", receivedAt],
    ["timestamp_from_sent", sentAt],
    ["timestamp_from_clock", firstFailedAt],
  ];
  for (const [repair, time] of candidates) if (time !== undefined && isEventTime(time)) return [repair, time];
  return ["timestamp_from_clock", now()];
};

const isoOf = (time: number): string => new Date(time).toISOString();

/** Writes the times that are understood as ISO, and says which they are. */
const readTimes = (event: JsonObject, out: Record<string, Json | undefined>, repairs: Repairs): Times => {
  const times: Times = {};
  for (const name of timeNames) {
    const given = event[name];
    if (given === undefined || isAbsent(given)) continue;
    const read = readTime(given);
    if (read) {
      times[name] = read.time;
      out[name] = isoOf(read.time);
    }
    if (!read?.isFullIso) note(repairs, read ? "time_format" : "time_unreadable");
  }
  return times;
};

/**
 * Writes the four times of the envelope as ISO in UTC with milliseconds; nothing nested is touched. Every event gets a
 * `timestamp`, the same at every retry. What is not understood stays, that of `timestamp` in `originalTimestamp` if that is free.
 */
export const normalTimes = (event: JsonObject, repairs: Repairs, standIns: StandIns): JsonObject => {
  const { timestamp, originalTimestamp, sentAt, receivedAt } = event;
  if (
    isNormal(timestamp) &&
    isNormalOrAbsent(originalTimestamp) &&
    isNormalOrAbsent(sentAt) &&
    isNormalOrAbsent(receivedAt)
  )
    return event;
  const out: Record<string, Json | undefined> = { ...event };
  const times = readTimes(event, out, repairs);
  if (times.timestamp !== undefined) return out;
  if (!isAbsent(timestamp) && isAbsent(originalTimestamp)) out["originalTimestamp"] = timestamp;
  const [repair, time] = standInFor(times, standIns);
  note(repairs, repair);
  out["timestamp"] = isoOf(time);
  return out;
};
