/** A moment as a calendar and a clock tell it, not yet checked. */
export interface DateParts {
  readonly year: number;
  /** From 1. */
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  readonly millisecond: number;
  /** How far the clock is ahead of UTC. */
  readonly offsetMinutes: number;
}

const minuteMs = 60_000;
const dayMs = 86_400_000;

/** JavaScript takes the years 0 to 99 for 1900 to 1999. */
const isDate = ({ year, month, day }: DateParts): boolean =>
  year >= 100 && month >= 1 && month <= 12 && day >= 1 && day <= new Date(Date.UTC(year, month, 0)).getUTCDate();

const isMidnight = ({ hour, minute, second, millisecond }: DateParts): boolean =>
  hour === 24 && minute + second + millisecond === 0;

const isClock = (parts: DateParts): boolean =>
  (parts.hour <= 23 && parts.minute <= 59 && parts.second <= 60) || isMidnight(parts);

/** A leap second is the last of a day in UTC. */
const isSecond = (second: number, time: number): boolean => second < 60 || time % dayMs < 1_000;

/** Milliseconds since 1970; undefined if there is no such moment. A leap second becomes the second after it, 24:00 the next day. */
export const timeOf = (parts: DateParts): number | undefined => {
  if (!isDate(parts) || !isClock(parts)) return undefined;
  const { year, month, day, hour, minute, second, millisecond, offsetMinutes } = parts;
  const time = Date.UTC(year, month - 1, day, hour, minute, second, millisecond) - offsetMinutes * minuteMs;
  return isSecond(second, time) ? time : undefined;
};
