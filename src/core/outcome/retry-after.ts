const minDelayMs = 1_000;
const maxDelayMs = 10 * 60_000;
const httpDate = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/;

const delayMsOf = (value: string, wallNowMs: number): number => {
  if (/^\d+$/.test(value)) return Number(value) * 1000;
  return httpDate.test(value) ? Date.parse(value) - wallNowMs : Number.NaN;
};

/**
 * Reads a `Retry-After` header (seconds, or an HTTP date; RFC 9110, 10.2.3) as milliseconds from `now`, clamped to
 * 1 s … 10 min. Nonsense counts as absent: a target that babbles must not stop the stream.
 */
export const parseRetryAfter = (value: string | undefined, wallNowMs: number): number | undefined => {
  const delayMs = delayMsOf(value?.trim() ?? "", wallNowMs);
  return Number.isNaN(delayMs) ? undefined : Math.min(maxDelayMs, Math.max(minDelayMs, delayMs));
};
