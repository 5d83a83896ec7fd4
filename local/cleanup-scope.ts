import { setTimeout as sleep } from "node:timers/promises";

type Cleanup = () => unknown;

/** Undoes everything that was started, also after an interrupt. */
export interface CleanupScope {
  /**
   * Calls `undo` at the end. If the end comes before `starting` resolves, the returned promise never settles, so its
   * caller does not continue.
   */
  register<T>(starting: Promise<T>, undo: (started: T) => unknown): Promise<T>;
  /** `undo` gives the terminal back before anything else is written to it. */
  onTerminalRelease(undo: Cleanup): void;
  releaseTerminal(): void;
  /** Undoes everything, the latest first, and gives up after the limit. Ignores errors. */
  end(limitMs: number): Promise<void>;
}

/** How long to wait for a start that is under way. After that, its process guard cleans up when this process ends. */
const STARTING_LIMIT_MS = 1000;

async function undoStarted<T>(starting: Promise<T>, undo: (started: T) => unknown): Promise<void> {
  const done = await Promise.race([starting.then((started) => ({ started })), sleep(STARTING_LIMIT_MS)]);
  if (done !== undefined) await undo(done.started);
}

export function createCleanupScope(): CleanupScope {
  const undos: Cleanup[] = [];
  const terminalReleases: Cleanup[] = [];
  let isOver = false;
  const releaseTerminal = (): void => {
    isOver = true;
    for (const release of terminalReleases.splice(0)) release();
  };
  return {
    register(starting, undo) {
      undos.push(() => undoStarted(starting, undo));
      return starting.then((started) => (isOver ? new Promise<never>(() => {}) : started));
    },
    onTerminalRelease: (undo) => void terminalReleases.push(undo),
    releaseTerminal,
    async end(limitMs) {
      releaseTerminal();
      const undoAll = async (): Promise<void> => {
        for (const undo of undos.splice(0).toReversed()) await Promise.allSettled([undo()]);
      };
      await Promise.race([undoAll(), sleep(limitMs)]);
    },
  };
}
