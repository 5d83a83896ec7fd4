/** As kafkajs draws the line itself: these are mistakes in a program, and to try again does not mend them. */
const programmingErrorNames: ReadonlySet<string> = new Set([
  "TypeError",
  "RangeError",
  "ReferenceError",
  "SyntaxError",
]);

/**
 * Whether a question to the cluster failed by a mistake of this program, which must end the process. kafkajs wraps what it
 * meets, so the causes count as well. A plain Error is none: kafkajs throws some itself, such as 'Broker not connected'.
 */
export const isProgrammingError = (error: unknown): boolean => {
  if (!(error instanceof Error)) return true;
  return programmingErrorNames.has(error.name) || (error.cause instanceof Error && isProgrammingError(error.cause));
};
