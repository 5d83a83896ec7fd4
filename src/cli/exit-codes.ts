/** The exit codes of all commands; 64 and 78 as in sysexits.h: https://man.freebsd.org/cgi/man.cgi?query=sysexits */
export const exitCodes = { done: 0, failed: 1, usage: 64, configuration: 78 } as const;
