const maxDateMs = 8.64e15;

/** The nearest time, in milliseconds since 1970, that a `Date` can hold. NaN becomes 0. */
export const clampToDateRange = (epochMs: number): number =>
  Number.isNaN(epochMs) ? 0 : Math.min(maxDateMs, Math.max(-maxDateMs, epochMs));

/**
 * Formats a time (milliseconds since 1970) as ISO 8601 in UTC. Never throws: a time outside the range of `Date` becomes the nearest
 * one inside it, because a producer whose record timestamps are nanoseconds must not stop the stream.
 */
export const toIso = (epochMs: number): string => new Date(clampToDateRange(epochMs)).toISOString();
