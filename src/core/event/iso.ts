const maxDateMs = 8.64e15;

/** The nearest time (ms since 1970) that a date can say. */
export const clampToDateRange = (epochMs: number): number =>
  Number.isNaN(epochMs) ? 0 : Math.min(maxDateMs, Math.max(-maxDateMs, epochMs));

/**
 * A time (ms since 1970) as ISO 8601 in UTC. What no date can say becomes the nearest that one can: a producer that
 * stamps its records in nanoseconds must not stop the stream.
 */
export const toIso = (epochMs: number): string => new Date(clampToDateRange(epochMs)).toISOString();
