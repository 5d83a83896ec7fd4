import { toEpochMs } from "./calendar.ts";
import { zoneOffset } from "./zones.ts";

/** A time that was parsed from text. */
export interface ParsedTime {
  /** Milliseconds since 1970; further digits are cut off. */
  readonly time: number;
  /** Whether the text is ISO 8601 with a time of day and a zone, so that no part had to be assumed. */
  readonly isFullIso: boolean;
}

const zoneNamePattern = String.raw`(?<zone>(?:GMT|UTC|UT)?[+-]\d\d(?::?\d\d)?|[a-z]{1,5})`;
const zonePattern = `(?: ?${zoneNamePattern})?`;
const fractionPart = String.raw`(?:[.,](?<fraction>\d+))?`;
const clockPattern = String.raw`(?<hour>\d{1,2}):(?<minute>\d\d)(?::(?<second>\d\d)${fractionPart})?(?: ?(?<half>[ap]m))?`;
const weekdayPattern = "(?:(?:sun|mon|tue|wed|thu|fri|sat)[a-z]{0,6},? )?";
const monthPattern = "(?<month>[a-z]{3,9})";
const commentPattern = String.raw`(?: \([^()]*\))?`;
const wholePattern = (pattern: string): RegExp => new RegExp(`^${pattern}$`, "i");

/**
 * ISO 8601: 2024-03-05T10:15:30.123+01:00[Europe/Paris]. The separators, the zone, the seconds and the time of day may be missing,
 * and a space may stand for the T.
 */
const isoPattern = wholePattern(
  String.raw`(?<year>\d{4})(?<dash>[-/]?)(?<month>\d\d)\k<dash>(?<day>\d\d)` +
    String.raw`(?:[t ](?<hour>\d\d)(?<colon>:?)(?<minute>\d\d)(?:\k<colon>(?<second>\d\d)${fractionPart})?)?` +
    String.raw`(?: ?${zoneNamePattern}(?:\[[\w/+-]+\])?)?`,
);

/** Forms with the month's name, which tell the day from the month. */
const monthNamePatterns: readonly RegExp[] = [
  // RFC 2822 (https://www.rfc-editor.org/rfc/rfc2822, section 3.3) and RFC 1123: Tue, 5 Mar 2024 10:15:30 +0100
  wholePattern(
    String.raw`${weekdayPattern}(?<day>\d{1,2})[ -]${monthPattern}[ -](?<year>\d{4})(?:,? ${clockPattern}${zonePattern}${commentPattern})?`,
  ),
  // Java's Date, C's asctime and Unix's date: Tue Mar 05 10:15:30 CET 2024
  wholePattern(
    String.raw`${weekdayPattern}${monthPattern} (?<day>\d{1,2}) ${clockPattern}${zonePattern} (?<year>\d{4})`,
  ),
  // JavaScript's Date: Tue Mar 05 2024 10:15:30 GMT+0100 (CET). Java's Gson: Mar 5, 2024, 10:15:30 AM
  wholePattern(
    String.raw`${weekdayPattern}${monthPattern} (?<day>\d{1,2}),? (?<year>\d{4})(?:,? ${clockPattern}${zonePattern}${commentPattern})?`,
  ),
];

const monthNames = "january february march april may june july august september october november december".split(" ");

/** The month's number from 1, or 0 if the text is no month. */
const monthOf = (text = ""): number =>
  /^\d/.test(text) ? Number(text) : monthNames.findIndex((name) => name.startsWith(text.toLowerCase())) + 1;

const hourOf = (hour: number, amPm: string | undefined): number => {
  if (amPm === undefined) return hour;
  if (hour < 1 || hour > 12) return Number.NaN;
  return (hour % 12) + (amPm.toLowerCase() === "pm" ? 12 : 0);
};

type Groups = Readonly<Record<string, string | undefined>>;

/** After a date without a time of day only the name of a zone is certain: in `2024-03-05-08` the `-08` may be an hour. */
const isZoneCertain = ({ hour, zone: name }: Groups): boolean =>
  hour !== undefined || name === undefined || /^[a-z]/i.test(name);

const offsetMinutesOf = (groups: Groups): number | undefined =>
  isZoneCertain(groups) ? zoneOffset(groups["zone"] ?? "UTC") : undefined;

const toNumber = (text: string | undefined): number => Number(text ?? 0);
const fractionMillis = (fraction = ""): number => Number(fraction.slice(0, 3).padEnd(3, "0"));

const groupsToEpochMs = (groups: Groups): number | undefined => {
  const offsetMinutes = offsetMinutesOf(groups);
  if (offsetMinutes === undefined) return undefined;
  return toEpochMs({
    year: toNumber(groups["year"]),
    month: monthOf(groups["month"]),
    day: toNumber(groups["day"]),
    hour: hourOf(toNumber(groups["hour"]), groups["half"]),
    minute: toNumber(groups["minute"]),
    second: toNumber(groups["second"]),
    millisecond: fractionMillis(groups["fraction"]),
    offsetMinutes,
  });
};

const hasTimeAndZone = ({ hour, zone: name, dash }: Groups): boolean =>
  hour !== undefined && name !== undefined && dash !== "/";

const parseByPattern = (pattern: RegExp, text: string): ParsedTime | undefined => {
  const groups = pattern.exec(text)?.groups;
  const time = groups && groupsToEpochMs(groups);
  return time === undefined ? undefined : { time, isFullIso: pattern === isoPattern && hasTimeAndZone(groups ?? {}) };
};

/**
 * Parses a date, with or without a time of day and a zone; without a zone it is UTC. Only unambiguous forms are accepted: the year
 * has four digits and comes first, or the month has a name. `Date.parse` would accept nearly any text with a digit in it.
 */
export const parseDate = (text: string): ParsedTime | undefined => {
  for (const pattern of [isoPattern, ...monthNamePatterns]) {
    const parsed = parseByPattern(pattern, text);
    if (parsed) return parsed;
  }
  return undefined;
};
