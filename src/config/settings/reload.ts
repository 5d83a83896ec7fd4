import { readFileSync } from "node:fs";

import { ConfigError, type Problem, describeProblem } from "../config-error.ts";
import { watchFile } from "../file-watch.ts";
import { freeze } from "../freeze.ts";
import { type Settings, readSettingsFile } from "./settings.ts";

export interface LiveSettingsOptions {
  /** The settings file; undefined where there is none, and then nothing ever changes. */
  readonly file: string | undefined;
  readonly initial: Settings;
  readonly wallNow: () => number;
  /** The file has changed and was read: taken up, or, where there is a problem, not. Told once per change. */
  readonly onReload: (problem: string | undefined) => void;
  /** How often the file is looked at, in milliseconds; a change counts when it has kept still that long. */
  readonly pollMs?: number;
}

/** The settings as the file says them now. */
export interface LiveSettings {
  readonly current: Settings;
  /** Why the file, as it is now, was not taken up; undefined where it was. */
  readonly problem: string | undefined;
  /** When that last changed, in milliseconds since 1970. */
  readonly changedAt: number;
  /** The listener is called with each new value, after `current` has changed. */
  readonly onChange: (listener: (settings: Settings) => void) => void;
  readonly close: () => void;
}

/** Mistakes told in one line; the command `settings check` tells them all. */
const maxListedProblems = 20;

const problemSummary = (problems: readonly Problem[]): string => {
  const listed = problems.slice(0, maxListedProblems).map(describeProblem);
  const more = problems.length > maxListedProblems ? [`and ${problems.length - maxListedProblems} more mistakes`] : [];
  return [...listed, ...more].join("; ");
};

const tryReadSettings = (file: string): { readonly settings?: Settings; readonly problem?: string } => {
  try {
    return { settings: freeze(readSettingsFile(file, (path) => readFileSync(path, "utf8"))) };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { problem: problemSummary(error.problems) };
  }
};

const isEqual = (a: Settings, b: Settings): boolean => JSON.stringify(a) === JSON.stringify(b);

/** Settings that are taken up while running. A change that is wrong is refused, and those before it stay. */
export const createLiveSettings = ({
  file,
  initial,
  wallNow,
  onReload,
  pollMs = 1_000,
}: LiveSettingsOptions): LiveSettings => {
  const listeners: ((settings: Settings) => void)[] = [];
  let state: { readonly current: Settings; readonly problem?: string | undefined; readonly since: number } = {
    current: initial,
    since: wallNow(),
  };
  const reload = (path: string): void => {
    const previous = state;
    const { settings: current = previous.current, problem } = tryReadSettings(path);
    const isChanged = !isEqual(current, previous.current);
    const isStillValid = previous.problem === undefined && problem === undefined;
    if (isStillValid && !isChanged) return;
    state = { current, problem, since: wallNow() };
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
      return state.since;
    },
    onChange: (listener) => void listeners.push(listener),
    close,
  };
};
