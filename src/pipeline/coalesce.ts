/** Runs once in the next turn of the event loop, however often it is asked for in this one. */
export const onceATurn = (nextTurn: (callback: () => void) => void, run: () => void): (() => void) => {
  let isDue = false;
  const runNow = (): void => {
    isDue = false;
    run();
  };
  return () => {
    if (isDue) return;
    isDue = true;
    nextTurn(runNow);
  };
};
