import { setTimeout as sleep } from "node:timers/promises";

type Undo = () => unknown;

/** What has to be undone at the end, however the end comes. */
export interface Scope {
  /**
   * Keeps what is being started. Where the end comes before the start is through, it is undone all the same, and the
   * promise stays open: whoever waits for it goes no further.
   */
  keep<T>(starting: Promise<T>, undo: (started: T) => unknown): Promise<T>;
  /** Called when it is over: gives the terminal back before anything else is written to it. */
  onQuiet(undo: Undo): void;
  quiet(): void;
  /** Undoes all, the last first; gives up after the limit. Whatever fails on the way out is left behind. */
  end(limitMs: number): Promise<void>;
}

/** The start of a cluster can take long; what is still starting then ends with this process, by its guard. */
const STARTING_LIMIT_MS = 1000;

/** Stays open where the start was through in time. */
async function untilGivenUp(starting: Promise<unknown>): Promise<void> {
  const isStarted = await Promise.race([starting.then(() => true), sleep(STARTING_LIMIT_MS, false)]);
  if (isStarted) await new Promise<never>(() => {});
}

export function createScope(): Scope {
  const undos: Undo[] = [];
  const quiets: Undo[] = [];
  let isOver = false;
  const quiet = (): void => {
    isOver = true;
    for (const one of quiets.splice(0)) one();
  };
  return {
    keep(starting, undo) {
      undos.push(() => Promise.race([starting.then(undo), untilGivenUp(starting)]));
      return starting.then((started) => (isOver ? new Promise<never>(() => {}) : started));
    },
    onQuiet: (undo) => void quiets.push(undo),
    quiet,
    async end(limitMs) {
      quiet();
      const undoAll = async (): Promise<void> => {
        for (const undo of undos.splice(0).toReversed()) await Promise.allSettled([undo()]);
      };
      await Promise.race([undoAll(), sleep(limitMs)]);
    },
  };
}
