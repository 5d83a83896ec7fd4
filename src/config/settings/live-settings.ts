import { readFileSync } from "node:fs";

import { ConfigError, type Problem } from "../config-error.ts";
import { watchFile } from "../file-watch.ts";
import { freeze } from "../freeze.ts";
import { type Settings, readSettingsFile } from "./settings.ts";

export interface LiveSettingsOptions {
  /** The settings file. Undefined if there is none; then the settings never change. */
  readonly file: string | undefined;
  readonly initial: Settings;
  readonly wallNow: () => number;
  /** Called once for each change of the file: with the problem if it was rejected, otherwise with undefined. */
  readonly onReload: (problem: string | undefined) => void;
  /** How often the file is polled. A change takes effect after the file has stayed the same for this long. */
  readonly pollMs?: number;
}

/** The settings in effect. They change with the file. */
export interface LiveSettings {
  readonly current: Settings;
  /** Why the file in its present form was rejected. Undefined if it was not. */
  readonly problem: string | undefined;
  /** When `current` or `problem` last changed, in milliseconds since 1970. */
  readonly changedAt: number;
  /** Calls the listener with the new settings each time after `current` has changed. */
  readonly onChange: (listener: (settings: Settings) => void) => void;
  readonly close: () => void;
}

/** How many mistakes one line of the log lists. The command `settings check` lists all. */
const maxListedProblems = 20;

const problemSummary = (problems: readonly Problem[]): string => {
  const listed = problems.slice(0, maxListedProblems).map(({ sentence }) => sentence);
  const more = problems.length > maxListedProblems ? [`and ${problems.length - maxListedProblems} more mistakes`] : [];
  return [...listed, ...more].join("; ");
};

interface SettingsReading {
  readonly settings?: Settings;
  readonly problem?: string;
}

const tryReadSettings = (file: string): SettingsReading => {
  try {
    return { settings: freeze(readSettingsFile(file, (path) => readFileSync(path, "utf8"))) };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { problem: problemSummary(error.problems) };
  }
};

const isEqual = (a: Settings, b: Settings): boolean => JSON.stringify(a) === JSON.stringify(b);

/** Reloads the settings when their file changes. If the changed file has a mistake, the previous settings stay in effect. */
export const createLiveSettings = ({
  file,
  initial,
  wallNow,
  onReload,
  pollMs = 1_000,
}: LiveSettingsOptions): LiveSettings => {
  const listeners: ((settings: Settings) => void)[] = [];
  let state: Pick<LiveSettings, "current" | "problem" | "changedAt"> = {
    current: initial,
    problem: undefined,
    changedAt: wallNow(),
  };
  const reload = (path: string): void => {
    const previous = state;
    const { settings: current = previous.current, problem } = tryReadSettings(path);
    const isChanged = !isEqual(current, previous.current);
    const isStillValid = previous.problem === undefined && problem === undefined;
    if (isStillValid && !isChanged) return;
    state = { current, problem, changedAt: wallNow() };
    onReload(problem);
    if (isChanged) for (const notify of listeners) notify(current);
  };
  const close = file === undefined ? () => {} : watchFile({ file, pollMs, onChange: () => reload(file) });
  return {
    get current() {
      return state.current;
    },
    get problem() {
      return state.problem;
    },
    get changedAt() {
      return state.changedAt;
    },
    onChange: (listener) => void listeners.push(listener),
    close,
  };
};
