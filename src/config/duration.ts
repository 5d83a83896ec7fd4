const unitsMs = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1000, ms: 1 };

const pattern =
  /^(?=\d)(?:(?<d>\d{1,9})d)?(?:(?<h>\d{1,9})h)?(?:(?<m>\d{1,9})m)?(?:(?<s>\d{1,9})s)?(?:(?<ms>\d{1,9})ms)?$/;

/** The milliseconds of a duration such as `250ms`, `30s`, `1h30m` or `2D`; undefined if the text is no duration. */
export const parseDuration = (text: string): number | undefined => {
  const groups = pattern.exec(text.toLowerCase())?.groups;
  if (groups === undefined) return undefined;
  return Object.entries(unitsMs).reduce((sum, [unit, unitMs]) => sum + Number(groups[unit] ?? 0) * unitMs, 0);
};
