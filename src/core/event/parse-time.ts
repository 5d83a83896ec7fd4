import type { Json } from "../json/json.ts";
import { type ParsedTime, parseDate } from "./time-forms.ts";

/**
 * An earlier time is taken for an unset field or a mistaken unit. Unset fields are 0 and 1970-01-01 (epoch), -1 (Kafka), 0001-01-01
 * (.NET), 0000-00-00 (MySQL) or 1900-01-01 (SQL Server). Epoch seconds read as milliseconds all lie in January 1970. 202403051015,
 * a date and a time without separators, would be milliseconds of 1976.
 */
const earliestEventTime = Date.UTC(1980, 0, 1);
/** A time from here on means "never" (9999-12-31) or has a mistaken unit. */
const eventTimeEnd = Date.UTC(2100, 0, 1);

/** Whether a time (milliseconds since 1970) can be the time of an event: from 1980 to 2099. */
export const isPlausibleEventTime = (time: number): boolean => time >= earliestEventTime && time < eventTimeEnd;

const maxTimeChars = 100;
const epochPattern = /^(\d{8,19})(?:[.,](\d+))?$/;
/** A double as Java writes it: `1.7096337301E12`. */
const javaDoublePattern = /^\d(?:\.\d+)?e\d{1,2}$/i;
/** A time as .NET's older JSON serializers write it: milliseconds since 1970. Its offset is only for display. */
const dotNetDatePattern = /^\/Date\((\d{1,15})(?:[+-]\d{4})?\)\/$/;

/**
 * Reads seconds, milliseconds, microseconds or nanoseconds since 1970. The number of digits tells the unit: between 1980 and 2100
 * the ranges of the four units do not overlap.
 */
const parseEpoch = (whole: string, fraction = ""): number => {
  if (whole.length <= 10) return Number(whole + fraction.slice(0, 3).padEnd(3, "0"));
  if (whole.length <= 13) return Number(whole);
  return Number(whole.slice(0, whole.length <= 16 ? -3 : -6));
};

const parseTimeText = (written: string): ParsedTime | undefined => {
  if (written.length > maxTimeChars) return undefined;
  const trimmed = written.trim().replaceAll(/\s+/g, " ");
  const text = javaDoublePattern.test(trimmed) ? String(Number(trimmed)) : trimmed;
  const [, whole, fraction] = epochPattern.exec(text) ?? [];
  if (whole !== undefined) return { time: parseEpoch(whole, fraction), isFullIso: false };
  const [, millis] = dotNetDatePattern.exec(text) ?? [];
  return millis === undefined ? parseDate(text) : { time: Number(millis), isFullIso: false };
};

/** Parses a time that a producer wrote as text or as a number. Undefined if it is not a time, or not a plausible one. */
export const parseEventTime = (written: Json): ParsedTime | undefined => {
  if (typeof written !== "string" && typeof written !== "number") return undefined;
  const parsed = parseTimeText(String(written));
  return parsed && isPlausibleEventTime(parsed.time) ? parsed : undefined;
};
