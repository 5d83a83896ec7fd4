import type { Json } from "../json/json.ts";
import { type ReadTime, readDate } from "./time-forms.ts";

/**
 * Before this, a time is what an unset one looks like: 0 and 1970-01-01 (epoch), -1 (Kafka), 0001-01-01 (.NET), 0000-00-00
 * (MySQL), 1900-01-01 (SQL Server), or epoch seconds taken for milliseconds, which all lie in January 1970. 202403051015,
 * a date and a time without separators, would be milliseconds of 1976.
 */
const earliest = Date.UTC(1980, 0, 1);
/** From this on, it is a mark for "never" (9999-12-31), or a unit was mistaken. */
const end = Date.UTC(2100, 0, 1);

/** Whether events can have happened at this time (ms since 1970). */
export const isEventTime = (time: number): boolean => time >= earliest && time < end;

const maxChars = 100;
const digits = /^(\d{8,19})(?:[.,](\d+))?$/;
/** As Java writes a double. */
const exponent = /^\d(?:\.\d+)?e\d{1,2}$/i;
/** As .NET's older JSON writes it: milliseconds; the offset is only for display. */
const dotNet = /^\/Date\((\d{1,15})(?:[+-]\d{4})?\)\/$/;

/** Seconds to nanoseconds since 1970, told apart by their size: between 1980 and 2100 these never meet. */
const readEpoch = (whole: string, fraction = ""): number => {
  if (whole.length <= 10) return Number(whole + fraction.slice(0, 3).padEnd(3, "0"));
  if (whole.length <= 13) return Number(whole);
  return Number(whole.slice(0, whole.length <= 16 ? -3 : -6));
};

const readText = (given: string): ReadTime | undefined => {
  if (given.length > maxChars) return undefined;
  const trimmed = given.trim().replaceAll(/\s+/g, " ");
  const text = exponent.test(trimmed) ? String(Number(trimmed)) : trimmed;
  const [, whole, fraction] = digits.exec(text) ?? [];
  if (whole !== undefined) return { time: readEpoch(whole, fraction), isFullIso: false };
  const [, millis] = dotNet.exec(text) ?? [];
  return millis === undefined ? readDate(text) : { time: Number(millis), isFullIso: false };
};

/** Reads a time that a producer wrote as text or number. Undefined if it is none, or cannot be the time of an event. */
export const readTime = (given: Json): ReadTime | undefined => {
  if (typeof given !== "string" && typeof given !== "number") return undefined;
  const read = readText(String(given));
  return read && isEventTime(read.time) ? read : undefined;
};
