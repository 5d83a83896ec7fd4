import { createHash } from "node:crypto";

import type { Config } from "../config/config.ts";
import { type LiveSettings, createLiveSettings } from "../config/settings/reload.ts";
import type { Settings } from "../config/settings/settings.ts";
import { type Handler, createHandler } from "../core/decide.ts";
import type { RawEvent } from "../core/event/event.ts";
import { createPiiRemover } from "../core/rules/pii.ts";
import { Flood } from "../limits/dead-letter-limit.ts";
import { Dedupe } from "../limits/dedupe.ts";
import type { Log } from "../ops/log.ts";
import type { Observer } from "../ops/observer.ts";

export interface SettingsOptions {
  readonly config: Config;
  readonly log: Log;
  /** How often the settings file is looked at, in milliseconds. */
  readonly settingsPollMs?: number;
}

/** The settings of the moment, with a line in the log for each change. */
export const openSettings = ({ config, log, settingsPollMs }: SettingsOptions): LiveSettings =>
  createLiveSettings({
    file: config.settingsFile,
    initial: config.settings,
    now: Date.now,
    onRead: (problem) => {
      if (problem === undefined) log.info("The settings file has changed and is taken up");
      else log.warn({ problem }, "Cannot take up the settings file, the settings before it stay");
    },
    ...(settingsPollMs !== undefined && { pollMs: settingsPollMs }),
  });

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

/** What events mean by these settings. */
export const handlerOf = (settings: Settings): Handler => createHandler({ ...settings, hash: sha256 });

/** An event as these settings let it be seen, without personal data. */
export const piiRemoverOf = (settings: Settings): ((raw: RawEvent) => RawEvent) =>
  createPiiRemover({ ...settings, hash: sha256 });

/** What events mean by the settings of the moment. Each is judged by one version of them, never by a mixture of two. */
export const createLiveHandler = (settings: LiveSettings): Handler => {
  let handle = handlerOf(settings.current);
  settings.onChange((changed) => {
    handle = handlerOf(changed);
  });
  return (raw) => handle(raw);
};

export interface HoldOptions {
  readonly settings: LiveSettings;
  readonly hold: Observer["hold"];
}

/** The dead-letter limit of the moment; a changed one ends the hold. */
export const createLiveFlood = ({ settings, wallNow, hold }: HoldOptions & { wallNow: () => number }): Flood => {
  const flood = new Flood({
    limit: settings.current.deadLetterLimit,
    onHold: (change) => hold({ reason: "flooded", ...change }),
  });
  settings.onChange(({ deadLetterLimit }) => flood.change(deadLetterLimit, wallNow()));
  return flood;
};

/** Tells of an operator's stop, which the settings of the moment say themselves: once per change, as of every hold. */
export const watchPause = ({ settings, monotonicNow, hold }: HoldOptions & { monotonicNow: () => number }): void => {
  let since: number | undefined;
  const tell = ({ paused }: Settings): void => {
    const wasPaused = since !== undefined;
    if (paused === wasPaused) return;
    const heldMs = since === undefined ? 0 : monotonicNow() - since;
    since = paused ? monotonicNow() : undefined;
    hold({ reason: "paused", isHeld: paused, error: "The settings file says paused: true", heldMs });
  };
  tell(settings.current);
  settings.onChange(tell);
};

/** What was delivered lately, by the rules of the moment. */
export const createLiveDedupe = (settings: LiveSettings, seed: number): Dedupe => {
  const dedupe = new Dedupe({ rules: settings.current.dedupe, seed });
  settings.onChange(({ dedupe: rules }) => dedupe.change(rules));
  return dedupe;
};
