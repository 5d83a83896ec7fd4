import { setTimeout as sleep } from "node:timers/promises";

type Cleanup = () => unknown;

/** What has to be undone at the end, however the end comes. */
export interface CleanupScope {
  /**
   * Keeps what is being started. Where the end comes before the start is through, the promise stays open: whoever
   * waits for it goes no further.
   */
  register<T>(starting: Promise<T>, undo: (started: T) => unknown): Promise<T>;
  /** Called when it is over: gives the terminal back before anything else is written to it. */
  onQuiet(undo: Cleanup): void;
  quiet(): void;
  /** Undoes all, the last first; gives up after the limit. Whatever fails on the way out is left behind. */
  end(limitMs: number): Promise<void>;
}

/** A start can take long; what is not through by then ends with this process, by its guard. */
const STARTING_LIMIT_MS = 1000;

async function undoStarted<T>(starting: Promise<T>, undo: (started: T) => unknown): Promise<void> {
  const through = await Promise.race([starting.then((started) => ({ started })), sleep(STARTING_LIMIT_MS)]);
  if (through !== undefined) await undo(through.started);
}

export function createCleanupScope(): CleanupScope {
  const undos: Cleanup[] = [];
  const quiets: Cleanup[] = [];
  let isOver = false;
  const quiet = (): void => {
    isOver = true;
    for (const one of quiets.splice(0)) one();
  };
  return {
    register(starting, undo) {
      undos.push(() => undoStarted(starting, undo));
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
