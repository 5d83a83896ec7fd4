/**
 * The errors that kafkajs takes for mistakes in a program, which no retry repairs.
 * Source: https://github.com/tulios/kafkajs/blob/v2.2.4/src/retry/index.js.
 */
const programmingErrorNames: ReadonlySet<string> = new Set([
  "TypeError",
  "RangeError",
  "ReferenceError",
  "SyntaxError",
]);

/**
 * Whether a request to the cluster failed by a mistake in this program, which must end the process. kafkajs wraps errors, so the
 * causes count too. A plain Error does not count: kafkajs itself throws some, such as "Broker not connected".
 */
export const isProgrammingError = (error: unknown): boolean => {
  if (!(error instanceof Error)) return true;
  return programmingErrorNames.has(error.name) || (error.cause instanceof Error && isProgrammingError(error.cause));
};
