const furthest = 8.64e15;

/** The nearest time (ms since 1970) that a date can say. */
export const nearestTime = (time: number): number =>
  Number.isNaN(time) ? 0 : Math.min(furthest, Math.max(-furthest, time));

/**
 * A time (ms since 1970) as ISO 8601 in UTC. What no date can say becomes the nearest that one can: a producer that
 * stamps its records in nanoseconds must not stop the stream.
 */
export const isoOf = (time: number): string => new Date(nearestTime(time)).toISOString();
