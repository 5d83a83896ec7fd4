const hour = 60;

/**
 * Only names that mean one offset wherever they are used. CST is America's or China's, PST America's or the Philippines',
 * IST India's, Israel's or Ireland's, BST Britain's or Bangladesh's: these are not guessed.
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

const zones: ReadonlyMap<string, number> = new Map(Object.entries(zoneHours));
const maxOffset = 18 * hour;
const offset = /^(?:GMT|UTC|UT)?([+-])(\d\d):?(\d\d)?$/;

/** The minutes by which a zone's clock is ahead of UTC: `+01:00`, `+0100`, `GMT+01:00`, `CET`. Undefined if that is not certain. */
export const zoneOffset = (zone: string): number | undefined => {
  const name = zone.toUpperCase();
  const [, sign, hours, minutes = "0"] = offset.exec(name) ?? [];
  if (sign === undefined) {
    const named = zones.get(name);
    return named === undefined ? undefined : named * hour;
  }
  const size = Number(hours) * hour + Number(minutes);
  if (Number(minutes) > 59 || size > maxOffset) return undefined;
  return sign === "-" ? -size : size;
};
