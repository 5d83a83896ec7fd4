import { createHash } from "node:crypto";

import type { Config } from "../config/config.ts";
import { type LiveSettings, createLiveSettings } from "../config/settings/live-settings.ts";
import type { Settings } from "../config/settings/settings.ts";
import { type Decide, createDecide } from "../core/decide.ts";
import type { EditEvent } from "../core/event/event.ts";
import { createPiiRemover } from "../core/rules/pii.ts";
import { DeadLetterLimit } from "../limits/dead-letter-limit.ts";
import { Dedupe } from "../limits/dedupe.ts";
import type { Log } from "../ops/log.ts";
import type { Observer } from "../ops/observer.ts";

export interface LiveSettingsSource {
  readonly config: Config;
  readonly log: Log;
  /** How often the settings file is read, in milliseconds. */
  readonly settingsPollMs?: number;
}

/** Opens the settings, which follow their file. Logs one line for each change. */
export const openSettings = ({ config, log, settingsPollMs }: LiveSettingsSource): LiveSettings =>
  createLiveSettings({
    file: config.settingsFile,
    initial: config.settings,
    wallNow: Date.now,
    onReload: (problem) => {
      if (problem === undefined) log.info("Settings reloaded");
      else log.warn({ problem }, "Settings file rejected; the previous settings stay in effect");
    },
    ...(settingsPollMs !== undefined && { pollMs: settingsPollMs }),
  });

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

/** Decides about events by these settings. */
export const createDecideFor = (settings: Settings): Decide => createDecide({ ...settings, hash: sha256 });

/** Removes or hashes personal data of an event as these settings say. */
export const createPiiRemoverFor = (settings: Settings): EditEvent => createPiiRemover({ ...settings, hash: sha256 });

/** Decides about events by the current settings. A reload never happens within one decision. */
export const createLiveDecide = (settings: LiveSettings): Decide => {
  let decide = createDecideFor(settings.current);
  settings.onChange((changed) => {
    decide = createDecideFor(changed);
  });
  const decideByCurrentSettings: Decide = (event) => decide(event);
  return decideByCurrentSettings;
};

export interface HoldOptions {
  readonly settings: LiveSettings;
  readonly onHold: Observer["holdChanged"];
}

/** The dead-letter limit by the current settings. A change of the setting ends its hold. */
export const createLiveDeadLetterLimit = ({
  settings,
  wallNow,
  onHold,
}: HoldOptions & { wallNow: () => number }): DeadLetterLimit => {
  const limiter = new DeadLetterLimit({
    limit: settings.current.deadLetterLimit,
    onHoldChange: (change) => onHold({ reason: "flooded", ...change }),
  });
  settings.onChange(({ deadLetterLimit }) => limiter.setLimit(deadLetterLimit, wallNow()));
  return limiter;
};

/** Reports the hold `paused` when an operator sets `paused: true` in the settings, and its end. */
export const reportPause = ({ settings, monotonicNow, onHold }: HoldOptions & { monotonicNow: () => number }): void => {
  let pausedSince: number | undefined;
  const report = ({ paused }: Settings): void => {
    const wasPaused = pausedSince !== undefined;
    if (paused === wasPaused) return;
    const heldMs = pausedSince === undefined ? 0 : monotonicNow() - pausedSince;
    pausedSince = paused ? monotonicNow() : undefined;
    onHold({ reason: "paused", isHeld: paused, error: "The settings file says paused: true", heldMs });
  };
  report(settings.current);
  settings.onChange(report);
};

/** Remembers delivered events by the current settings. */
export const createLiveDedupe = (settings: LiveSettings, seed: number): Dedupe => {
  const dedupe = new Dedupe({ rules: settings.current.dedupe, seed });
  settings.onChange(({ dedupe: rules }) => dedupe.setRules(rules));
  return dedupe;
};
