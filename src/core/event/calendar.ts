/** The parts of a date and a time of day, not yet checked: February 30 is possible. */
export interface DateParts {
  readonly year: number;
  /** From 1. */
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  readonly millisecond: number;
  /** Minutes by which the clock is ahead of UTC. */
  readonly offsetMinutes: number;
}

const minuteMs = 60_000;
const dayMs = 86_400_000;

/** `Date.UTC` reads the years 0 to 99 as 1900 to 1999, so years below 100 are refused. */
const isValidDate = ({ year, month, day }: DateParts): boolean =>
  year >= 100 && month >= 1 && month <= 12 && day >= 1 && day <= new Date(Date.UTC(year, month, 0)).getUTCDate();

const isHour24 = ({ hour, minute, second, millisecond }: DateParts): boolean =>
  hour === 24 && minute + second + millisecond === 0;

const isValidTimeOfDay = (parts: DateParts): boolean =>
  (parts.hour <= 23 && parts.minute <= 59 && parts.second <= 60) || isHour24(parts);

/** A leap second (second 60) is the last second of a day in UTC. `Date.UTC` has already moved it to the next midnight. */
const isValidSecond = (second: number, epochMs: number): boolean => second < 60 || epochMs % dayMs < 1_000;

/**
 * Returns milliseconds since 1970, or undefined if the date or the time of day does not exist. A leap second becomes the second
 * after it, and 24:00 becomes 00:00 of the next day.
 */
export const toEpochMs = (parts: DateParts): number | undefined => {
  if (!isValidDate(parts) || !isValidTimeOfDay(parts)) return undefined;
  const { year, month, day, hour, minute, second, millisecond, offsetMinutes } = parts;
  const epochMs = Date.UTC(year, month - 1, day, hour, minute, second, millisecond) - offsetMinutes * minuteMs;
  return isValidSecond(second, epochMs) ? epochMs : undefined;
};
