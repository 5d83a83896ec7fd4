import type { Json } from "../../core/json/json.ts";
import { type Long, toExactLong } from "./scalars.ts";

/** How many units of a time make a millisecond. */
export const millisPerMs = 1;
export const microsPerMs = 1_000;
export const nanosPerMs = 1_000_000;

const dayMs = 86_400_000;

/** Converts days since 1970 to `YYYY-MM-DD`. A number that no `Date` can hold stays a number. */
export function toIsoDate(days: Long): Json {
  const iso = tryToIso(Number(days) * dayMs);
  return iso?.slice(0, iso.indexOf("T")) ?? toExactLong(days);
}

/** Makes the converter of a time since midnight to `HH:MM:SS.mmm`. A number that is no time of day stays a number. */
export const createTimeOfDayConverter =
  (perMs: number) =>
  (value: Long): Json => {
    const { ms, remainder } = splitAtMs(value, perMs);
    const iso = ms >= 0 && ms < dayMs ? tryToIso(ms) : undefined;
    return iso === undefined
      ? toExactLong(value)
      : `${iso.slice(iso.indexOf("T") + 1, -1)}${subMillisDigits(remainder, perMs)}`;
  };

/** Makes the converter of a time since 1970 to ISO 8601; a local time has no zone. A number that no `Date` can hold stays a number. */
export const createTimestampConverter =
  (perMs: number, zone: "Z" | "") =>
  (value: Long): Json => {
    const { ms, remainder } = splitAtMs(value, perMs);
    const iso = tryToIso(ms);
    return iso === undefined ? toExactLong(value) : `${iso.slice(0, -1)}${subMillisDigits(remainder, perMs)}${zone}`;
  };

function tryToIso(ms: number): string | undefined {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString();
}

interface SplitTime {
  readonly ms: number;
  /** In the unit of the time; never negative. */
  readonly remainder: number;
}

/** Splits a time into whole milliseconds, rounded down, and the remainder. */
function splitAtMs(value: Long, perMs: number): SplitTime {
  if (typeof value === "number") {
    const ms = Math.floor(value / perMs);
    return { ms, remainder: value - ms * perMs };
  }
  const unit = BigInt(perMs);
  const remainder = ((value % unit) + unit) % unit;
  return { ms: Number((value - remainder) / unit), remainder: Number(remainder) };
}

/** The digits behind the milliseconds: none, three or six, without trailing groups of zeros. */
function subMillisDigits(remainder: number, perMs: number): string {
  if (remainder === 0) return "";
  const digits = String(remainder).padStart(String(perMs).length - 1, "0");
  return digits.endsWith("000") ? digits.slice(0, 3) : digits;
}
