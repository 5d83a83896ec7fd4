import { readFileSync } from "node:fs";

import { ConfigError, type Problem, describeProblem } from "../config-error.ts";
import { watchFile } from "../file-watch.ts";
import { freeze } from "../freeze.ts";
import { type Settings, readSettingsFile } from "./settings.ts";

export interface LiveSettingsOptions {
  /** The settings file; undefined where there is none, and then nothing ever changes. */
  readonly file: string | undefined;
  readonly initial: Settings;
  readonly now: () => number;
  /** The file has changed and was read: taken up, or, where there is a problem, not. Told once per change. */
  readonly onRead: (problem: string | undefined) => void;
  /** How often the file is looked at, in milliseconds; a change counts when it has kept still that long. */
  readonly pollMs?: number;
}

/** The settings as the file says them now. */
export interface LiveSettings {
  readonly current: Settings;
  /** Why the file, as it is now, was not taken up; undefined where it was. */
  readonly problem: string | undefined;
  /** When that last changed, in milliseconds since 1970. */
  readonly since: number;
  /** The listener is called with each new value, after `current` has changed. */
  readonly onChange: (listener: (settings: Settings) => void) => void;
  readonly close: () => void;
}

/** Mistakes told in one line; the command `settings check` tells them all. */
const maxTold = 20;

const sentenceOf = (problems: readonly Problem[]): string => {
  const told = problems.slice(0, maxTold).map(describeProblem);
  const more = problems.length > maxTold ? [`and ${problems.length - maxTold} more mistakes`] : [];
  return [...told, ...more].join("; ");
};

const readSettings = (file: string): { readonly settings?: Settings; readonly problem?: string } => {
  try {
    return { settings: freeze(readSettingsFile(file, (path) => readFileSync(path, "utf8"))) };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { problem: sentenceOf(error.problems) };
  }
};

const isSame = (a: Settings, b: Settings): boolean => JSON.stringify(a) === JSON.stringify(b);

/** Settings that are taken up while running. A change that is wrong is refused, and those before it stay. */
export const createLiveSettings = ({
  file,
  initial,
  now,
  onRead,
  pollMs = 1_000,
}: LiveSettingsOptions): LiveSettings => {
  const listeners: ((settings: Settings) => void)[] = [];
  let state: { readonly current: Settings; readonly problem?: string | undefined; readonly since: number } = {
    current: initial,
    since: now(),
  };
  const takeUp = (path: string): void => {
    const before = state;
    const { settings: current = before.current, problem } = readSettings(path);
    const isChanged = !isSame(current, before.current);
    const wasAndIsGood = before.problem === undefined && problem === undefined;
    if (wasAndIsGood && !isChanged) return;
    state = { current, problem, since: now() };
    onRead(problem);
    if (isChanged) for (const tell of listeners) tell(current);
  };
  const close = file === undefined ? () => {} : watchFile({ file, pollMs, onChange: () => takeUp(file) });
  return {
    get current() {
      return state.current;
    },
    get problem() {
      return state.problem;
    },
    get since() {
      return state.since;
    },
    onChange: (listener) => void listeners.push(listener),
    close,
  };
};
