export const pause = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms);
  });

/** Checks `condition` every `everyMs` until it is true. Rejects after `limitMs` with a sentence that names `what`. */
export const waitUntil = async (
  condition: () => Promise<boolean>,
  { what, limitMs, everyMs = 50 }: { what: string; limitMs: number; everyMs?: number },
): Promise<void> => {
  const deadline = performance.now() + limitMs;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`Waited ${limitMs / 1_000} s in vain for ${what}`);
    await pause(everyMs);
  }
};
