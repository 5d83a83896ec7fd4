const minDelayMs = 1_000;
const maxDelayMs = 10 * 60_000;
const httpDate = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/;

const delayMsOf = (value: string, wallNowMs: number): number => {
  if (/^\d+$/.test(value)) return Number(value) * 1000;
  return httpDate.test(value) ? Date.parse(value) - wallNowMs : Number.NaN;
};

/**
 * Parses a `Retry-After` header (seconds, or an HTTP date) into milliseconds from `wallNowMs` on, clamped to 1 s … 10 min. Returns
 * undefined if the header is absent or malformed: a broken header must not stop the stream.
 * Source: https://www.rfc-editor.org/rfc/rfc9110, section 10.2.3
 */
export const parseRetryAfter = (value: string | undefined, wallNowMs: number): number | undefined => {
  const delayMs = delayMsOf(value?.trim() ?? "", wallNowMs);
  return Number.isNaN(delayMs) ? undefined : Math.min(maxDelayMs, Math.max(minDelayMs, delayMs));
};
