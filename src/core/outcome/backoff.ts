export interface BackoffOptions {
  /** 0 before the first repetition. */
  readonly attempt: number;
  readonly baseMs: number;
  readonly maxMs: number;
  /** From 0 up to, but not including, 1. */
  readonly random: number;
}

/** Full jitter: anything between nothing and the exponential ceiling, in milliseconds. */
export const fullJitter = ({ attempt, baseMs, maxMs, random }: BackoffOptions): number =>
  Math.floor(random * Math.min(maxMs, baseMs * 2 ** attempt));

/** Between half of the ceiling and the whole of it: for probes, which must neither bunch up nor come at once. */
export const equalJitter = ({ attempt, baseMs, maxMs, random }: BackoffOptions): number => {
  const ceiling = Math.min(maxMs, baseMs * 2 ** attempt);
  return Math.floor(ceiling / 2 + (random * ceiling) / 2);
};
