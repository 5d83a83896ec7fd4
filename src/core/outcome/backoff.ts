export interface BackoffOptions {
  /** How many attempts were repeated before: 0 for the first repetition. */
  readonly attempt: number;
  readonly baseMs: number;
  readonly maxMs: number;
  /** A random number from 0 (inclusive) to 1 (exclusive), as `Math.random` returns it. */
  readonly random: number;
}

/**
 * Full jitter: a pause in milliseconds between 0 and the exponential ceiling.
 * Source: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 */
export const fullJitter = ({ attempt, baseMs, maxMs, random }: BackoffOptions): number =>
  Math.floor(random * Math.min(maxMs, baseMs * 2 ** attempt));

/**
 * Equal jitter: a pause between half of the ceiling and the ceiling. Probes of several instances then neither coincide nor start at
 * once.
 */
export const equalJitter = ({ attempt, baseMs, maxMs, random }: BackoffOptions): number => {
  const ceiling = Math.min(maxMs, baseMs * 2 ** attempt);
  return Math.floor(ceiling / 2 + (random * ceiling) / 2);
};
