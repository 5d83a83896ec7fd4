import { timeOf } from "./calendar.ts";
import { zoneOffset } from "./zones.ts";

/** A time that was read from text. */
export interface ReadTime {
  /** Milliseconds since 1970; finer digits are cut off. */
  readonly time: number;
  /** ISO 8601 with a time of day and a zone: nothing had to be supplied. */
  readonly isFullIso: boolean;
}

const zoneName = String.raw`(?<zone>(?:GMT|UTC|UT)?[+-]\d\d(?::?\d\d)?|[a-z]{1,5})`;
const zone = `(?: ?${zoneName})?`;
const fractionPart = String.raw`(?:[.,](?<fraction>\d+))?`;
const clock = String.raw`(?<hour>\d{1,2}):(?<minute>\d\d)(?::(?<second>\d\d)${fractionPart})?(?: ?(?<half>[ap]m))?`;
const weekday = "(?:(?:sun|mon|tue|wed|thu|fri|sat)[a-z]{0,6},? )?";
const month = "(?<month>[a-z]{3,9})";
const comment = String.raw`(?: \([^()]*\))?`;
const form = (pattern: string): RegExp => new RegExp(`^${pattern}$`, "i");

/** 2024-03-05T10:15:30.123+01:00[Europe/Paris], and the same without separators, zone, seconds or time of day, or with a space for T. */
const iso = form(
  String.raw`(?<year>\d{4})(?<dash>[-/]?)(?<month>\d\d)\k<dash>(?<day>\d\d)` +
    String.raw`(?:[t ](?<hour>\d\d)(?<colon>:?)(?<minute>\d\d)(?:\k<colon>(?<second>\d\d)${fractionPart})?)?` +
    String.raw`(?: ?${zoneName}(?:\[[\w/+-]+\])?)?`,
);

/** With the month's name, so that nothing is to be guessed. */
const named: readonly RegExp[] = [
  // RFC 2822 and 1123: Tue, 5 Mar 2024 10:15:30 +0100
  form(String.raw`${weekday}(?<day>\d{1,2})[ -]${month}[ -](?<year>\d{4})(?:,? ${clock}${zone}${comment})?`),
  // Java's Date, C and Unix: Tue Mar 05 10:15:30 CET 2024
  form(String.raw`${weekday}${month} (?<day>\d{1,2}) ${clock}${zone} (?<year>\d{4})`),
  // JavaScript's Date, Java's Gson: Tue Mar 05 2024 10:15:30 GMT+0100 (CET), Mar 5, 2024, 10:15:30 AM
  form(String.raw`${weekday}${month} (?<day>\d{1,2}),? (?<year>\d{4})(?:,? ${clock}${zone}${comment})?`),
];

const monthNames = "january february march april may june july august september october november december".split(" ");

/** From 1; 0 is none. */
const monthOf = (text = ""): number =>
  /^\d/.test(text) ? Number(text) : monthNames.findIndex((name) => name.startsWith(text.toLowerCase())) + 1;

const hourOf = (hour: number, half: string | undefined): number => {
  if (half === undefined) return hour;
  if (hour < 1 || hour > 12) return Number.NaN;
  return (hour % 12) + (half.toLowerCase() === "pm" ? 12 : 0);
};

type Groups = Readonly<Record<string, string | undefined>>;

/** A date alone may be followed by the name of a zone; -08 behind it may as well be an hour. */
const isZoneOfDate = ({ hour, zone: name }: Groups): boolean =>
  hour !== undefined || name === undefined || /^[a-z]/i.test(name);

const offsetOf = (groups: Groups): number | undefined =>
  isZoneOfDate(groups) ? zoneOffset(groups["zone"] ?? "UTC") : undefined;

const numberIn = (text: string | undefined): number => Number(text ?? 0);
const millisIn = (fraction = ""): number => Number(fraction.slice(0, 3).padEnd(3, "0"));

const readGroups = (groups: Groups): number | undefined => {
  const offsetMinutes = offsetOf(groups);
  if (offsetMinutes === undefined) return undefined;
  return timeOf({
    year: numberIn(groups["year"]),
    month: monthOf(groups["month"]),
    day: numberIn(groups["day"]),
    hour: hourOf(numberIn(groups["hour"]), groups["half"]),
    minute: numberIn(groups["minute"]),
    second: numberIn(groups["second"]),
    millisecond: millisIn(groups["fraction"]),
    offsetMinutes,
  });
};

const isFull = ({ hour, zone: name, dash }: Groups): boolean =>
  hour !== undefined && name !== undefined && dash !== "/";

const readForm = (pattern: RegExp, text: string): ReadTime | undefined => {
  const groups = pattern.exec(text)?.groups;
  const time = groups && readGroups(groups);
  return time === undefined ? undefined : { time, isFullIso: pattern === iso && isFull(groups ?? {}) };
};

/**
 * Reads a date, with or without a time of day and a zone (without: UTC), in a form that leaves nothing to guess: the year has
 * four digits and stands first, or the month has a name. `Date.parse` would take nearly anything with a digit in it.
 */
export const readDate = (text: string): ReadTime | undefined => {
  for (const pattern of [iso, ...named]) {
    const read = readForm(pattern, text);
    if (read) return read;
  }
  return undefined;
};
