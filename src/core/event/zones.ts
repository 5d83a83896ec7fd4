const minutesPerHour = 60;

/**
 * Hours ahead of UTC, for the abbreviations that mean the same offset everywhere. Ambiguous ones are left out: CST is America's or
 * China's, PST America's or the Philippines', IST India's, Israel's or Ireland's, BST Britain's or Bangladesh's.
 * Source: the abbreviations in https://data.iana.org/time-zones/tzdb/
 */
const zoneHours: Readonly<Record<string, number>> = {
  Z: 0,
  UT: 0,
  UTC: 0,
  GMT: 0,
  WET: 0,
  WEST: 1,
  CET: 1,
  CEST: 2,
  EET: 2,
  EEST: 3,
  MSK: 3,
  SGT: 8,
  JST: 9,
  KST: 9,
  AEST: 10,
  AEDT: 11,
  NZST: 12,
  NZDT: 13,
  EST: -5,
  EDT: -4,
  MST: -7,
  MDT: -6,
};

const hoursByZone: ReadonlyMap<string, number> = new Map(Object.entries(zoneHours));
const maxOffsetMinutes = 18 * minutesPerHour;
const offsetPattern = /^(?:GMT|UTC|UT)?([+-])(\d\d):?(\d\d)?$/;

/**
 * Returns the minutes by which a zone (`+01:00`, `+0100`, `GMT+01:00`, `CET`) is ahead of UTC. Undefined if the zone is unknown or
 * ambiguous, or the offset is above 18 hours.
 */
export const zoneOffset = (zone: string): number | undefined => {
  const name = zone.toUpperCase();
  const [, sign, hours, minutes = "0"] = offsetPattern.exec(name) ?? [];
  if (sign === undefined) {
    const zoneHoursAhead = hoursByZone.get(name);
    return zoneHoursAhead === undefined ? undefined : zoneHoursAhead * minutesPerHour;
  }
  const offsetMinutes = Number(hours) * minutesPerHour + Number(minutes);
  if (Number(minutes) > 59 || offsetMinutes > maxOffsetMinutes) return undefined;
  return sign === "-" ? -offsetMinutes : offsetMinutes;
};
