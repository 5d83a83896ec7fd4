const furthest = 8.64e15;

/**
 * A time (ms since 1970) as ISO 8601 in UTC. What no date can say becomes the nearest that one can: a producer that
 * stamps its records in nanoseconds must not stop the stream.
 */
export const isoOf = (time: number): string =>
  new Date(Math.min(furthest, Math.max(-furthest, Number.isNaN(time) ? 0 : time))).toISOString();
