/** What was thrown, as an Error: JavaScript code may throw any value. */
export const toError = (thrown: unknown): Error => (thrown instanceof Error ? thrown : new Error(String(thrown)));

/** The message of what was thrown. */
export const errorMessage = (thrown: unknown): string => toError(thrown).message;
