export const pause = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms);
  });

/** Looks again and again until it is so. Throws where that takes too long. */
export const waitUntil = async (
  isSo: () => Promise<boolean>,
  { what, limitMs, everyMs = 50 }: { what: string; limitMs: number; everyMs?: number },
): Promise<void> => {
  const deadline = performance.now() + limitMs;
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error(`${what} did not come within ${limitMs / 1_000} s`);
    await pause(everyMs);
  }
};
