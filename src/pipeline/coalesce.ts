/** Runs once in the next turn of the event loop, however often it is asked for in this one. */
export const coalesce = (nextTurn: (callback: () => void) => void, run: () => void): (() => void) => {
  let isScheduled = false;
  const runNow = (): void => {
    isScheduled = false;
    run();
  };
  return () => {
    if (isScheduled) return;
    isScheduled = true;
    nextTurn(runNow);
  };
};
