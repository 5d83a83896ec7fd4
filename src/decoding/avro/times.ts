import type { Json } from "../../core/json/json.ts";
import { type Long, exactLong } from "./scalars.ts";

/** How many of a time's unit are a millisecond. */
export const MILLIS = 1;
export const MICROS = 1_000;
export const NANOS = 1_000_000;

const DAY_MS = 86_400_000;

/** Days since 1970 as `YYYY-MM-DD`; the number itself where no Date can hold it. */
export function dateOf(days: Long): Json {
  const iso = isoOf(Number(days) * DAY_MS);
  return iso?.slice(0, iso.indexOf("T")) ?? exactLong(days);
}

/** A time since midnight as `HH:MM:SS.mmm`; the number itself where no day has it. */
export const timeOfDay =
  (perMs: number) =>
  (value: Long): Json => {
    const { ms, rest } = divided(value, perMs);
    const iso = ms >= 0 && ms < DAY_MS ? isoOf(ms) : undefined;
    return iso === undefined ? exactLong(value) : `${iso.slice(iso.indexOf("T") + 1, -1)}${finer(rest, perMs)}`;
  };

/** A time since 1970 in ISO 8601, in UTC or, for a local time, without a zone; the number itself where no Date can hold it. */
export const timestamp =
  (perMs: number, zone: "Z" | "") =>
  (value: Long): Json => {
    const { ms, rest } = divided(value, perMs);
    const iso = isoOf(ms);
    return iso === undefined ? exactLong(value) : `${iso.slice(0, -1)}${finer(rest, perMs)}${zone}`;
  };

function isoOf(ms: number): string | undefined {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString();
}

/** The millisecond before a time, and how much of its unit is left. */
function divided(value: Long, perMs: number): { readonly ms: number; readonly rest: number } {
  if (typeof value === "number") {
    const ms = Math.floor(value / perMs);
    return { ms, rest: value - ms * perMs };
  }
  const unit = BigInt(perMs);
  const rest = ((value % unit) + unit) % unit;
  return { ms: Number((value - rest) / unit), rest: Number(rest) };
}

/** The digits behind the milliseconds, three by three as far as they say something. */
function finer(rest: number, perMs: number): string {
  if (rest === 0) return "";
  const digits = String(rest).padStart(String(perMs).length - 1, "0");
  return digits.endsWith("000") ? digits.slice(0, 3) : digits;
}
