const minMs = 1_000;
const maxMs = 10 * 60_000;
const httpDate = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/;

const waitOf = (value: string, now: number): number => {
  if (/^\d+$/.test(value)) return Number(value) * 1000;
  return httpDate.test(value) ? Date.parse(value) - now : Number.NaN;
};

/**
 * Reads a `Retry-After` header (seconds, or an HTTP date; RFC 9110, 10.2.3) as milliseconds from `now`, clamped to
 * 1 s … 10 min. Nonsense counts as absent: a target that babbles must not stop the stream.
 */
export const parseRetryAfter = (value: string | undefined, now: number): number | undefined => {
  const wait = waitOf(value?.trim() ?? "", now);
  return Number.isNaN(wait) ? undefined : Math.min(maxMs, Math.max(minMs, wait));
};
