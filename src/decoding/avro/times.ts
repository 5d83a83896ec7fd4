import type { Json } from "../../core/json/json.ts";
import { type Long, toExactLong } from "./scalars.ts";

/** How many of a time's unit are a millisecond. */
export const MILLIS_PER_MS = 1;
export const MICROS_PER_MS = 1_000;
export const NANOS_PER_MS = 1_000_000;

const DAY_MS = 86_400_000;

/** Days since 1970 as `YYYY-MM-DD`; the number itself where no Date can hold it. */
export function toIsoDate(days: Long): Json {
  const iso = tryToIso(Number(days) * DAY_MS);
  return iso?.slice(0, iso.indexOf("T")) ?? toExactLong(days);
}

/** A time since midnight as `HH:MM:SS.mmm`; the number itself where no day has it. */
export const createTimeOfDayConverter =
  (perMs: number) =>
  (value: Long): Json => {
    const { ms, rest } = splitAtMs(value, perMs);
    const iso = ms >= 0 && ms < DAY_MS ? tryToIso(ms) : undefined;
    return iso === undefined
      ? toExactLong(value)
      : `${iso.slice(iso.indexOf("T") + 1, -1)}${subMillisDigits(rest, perMs)}`;
  };

/** A time since 1970 in ISO 8601, in UTC or, for a local time, without a zone; the number itself where no Date can hold it. */
export const createTimestampConverter =
  (perMs: number, zone: "Z" | "") =>
  (value: Long): Json => {
    const { ms, rest } = splitAtMs(value, perMs);
    const iso = tryToIso(ms);
    return iso === undefined ? toExactLong(value) : `${iso.slice(0, -1)}${subMillisDigits(rest, perMs)}${zone}`;
  };

function tryToIso(ms: number): string | undefined {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString();
}

/** The millisecond before a time, and how much of its unit is left. */
function splitAtMs(value: Long, perMs: number): { readonly ms: number; readonly rest: number } {
  if (typeof value === "number") {
    const ms = Math.floor(value / perMs);
    return { ms, rest: value - ms * perMs };
  }
  const unit = BigInt(perMs);
  const rest = ((value % unit) + unit) % unit;
  return { ms: Number((value - rest) / unit), rest: Number(rest) };
}

/** The digits behind the milliseconds, three by three as far as they say something. */
function subMillisDigits(rest: number, perMs: number): string {
  if (rest === 0) return "";
  const digits = String(rest).padStart(String(perMs).length - 1, "0");
  return digits.endsWith("000") ? digits.slice(0, 3) : digits;
}
