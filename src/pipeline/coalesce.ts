/** Returns a function that schedules `run` for the next turn of the event loop. Several calls in one turn run it once. */
export const coalesce = (nextTurn: (callback: () => void) => void, run: () => void): (() => void) => {
  let isScheduled = false;
  const runNow = (): void => {
    isScheduled = false;
    run();
  };
  const runSoon = (): void => {
    if (isScheduled) return;
    isScheduled = true;
    nextTurn(runNow);
  };
  return runSoon;
};
