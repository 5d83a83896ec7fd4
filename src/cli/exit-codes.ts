/** What the process says when it ends; 64 and 78 as in sysexits.h. */
export const exitCodes = { done: 0, failed: 1, usage: 64, configuration: 78 } as const;
