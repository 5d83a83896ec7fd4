/** As kafkajs draws the line itself: these are mistakes in a program, and to try again does not mend them. */
const names: ReadonlySet<string> = new Set(["TypeError", "RangeError", "ReferenceError", "SyntaxError"]);

/**
 * Whether a question to the cluster failed by a mistake of this program, which must end the process. kafkajs wraps what it
 * meets, so the causes count as well. A plain Error is none: kafkajs throws some itself, such as 'Broker not connected'.
 */
export const isOwnError = (error: unknown): boolean => {
  if (!(error instanceof Error)) return true;
  return names.has(error.name) || (error.cause instanceof Error && isOwnError(error.cause));
};
