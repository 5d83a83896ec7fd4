import { createHash } from "node:crypto";

import type { Config } from "../config/config.ts";
import { type LiveSettings, createLiveSettings } from "../config/settings/live-settings.ts";
import type { Settings } from "../config/settings/settings.ts";
import { type Decide, createDecide } from "../core/decide.ts";
import type { RawEvent } from "../core/event/event.ts";
import { createPiiRemover } from "../core/rules/pii.ts";
import { DeadLetterLimit } from "../limits/dead-letter-limit.ts";
import { Dedupe } from "../limits/dedupe.ts";
import type { Log } from "../ops/log.ts";
import type { Observer } from "../ops/observer.ts";

export interface LiveSettingsSource {
  readonly config: Config;
  readonly log: Log;
  /** How often the settings file is looked at, in milliseconds. */
  readonly settingsPollMs?: number;
}

/** The settings of the moment, with a line in the log for each change. */
export const openSettings = ({ config, log, settingsPollMs }: LiveSettingsSource): LiveSettings =>
  createLiveSettings({
    file: config.settingsFile,
    initial: config.settings,
    wallNow: Date.now,
    onReload: (problem) => {
      if (problem === undefined) log.info("The settings file has changed and is taken up");
      else log.warn({ problem }, "Cannot take up the settings file, the settings before it stay");
    },
    ...(settingsPollMs !== undefined && { pollMs: settingsPollMs }),
  });

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

/** What events mean by these settings. */
export const createDecideFor = (settings: Settings): Decide => createDecide({ ...settings, hash: sha256 });

/** An event as these settings let it be seen, without personal data. */
export const createPiiRemoverFor = (settings: Settings): ((raw: RawEvent) => RawEvent) =>
  createPiiRemover({ ...settings, hash: sha256 });

/** What events mean by the settings of the moment. Each is judged by one version of them, never by a mixture of two. */
export const createLiveDecide = (settings: LiveSettings): Decide => {
  let decide = createDecideFor(settings.current);
  settings.onChange((changed) => {
    decide = createDecideFor(changed);
  });
  return (raw) => decide(raw);
};

export interface HoldOptions {
  readonly settings: LiveSettings;
  readonly onHold: Observer["holdChanged"];
}

/** The dead-letter limit of the moment; a changed one ends the hold. */
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

/** Tells of an operator's stop, which the settings of the moment say themselves: once per change, as of every hold. */
export const reportPause = ({ settings, monotonicNow, onHold }: HoldOptions & { monotonicNow: () => number }): void => {
  let since: number | undefined;
  const report = ({ paused }: Settings): void => {
    const wasPaused = since !== undefined;
    if (paused === wasPaused) return;
    const heldMs = since === undefined ? 0 : monotonicNow() - since;
    since = paused ? monotonicNow() : undefined;
    onHold({ reason: "paused", isHeld: paused, error: "The settings file says paused: true", heldMs });
  };
  report(settings.current);
  settings.onChange(report);
};

/** What was delivered lately, by the rules of the moment. */
export const createLiveDedupe = (settings: LiveSettings, seed: number): Dedupe => {
  const dedupe = new Dedupe({ rules: settings.current.dedupe, seed });
  settings.onChange(({ dedupe: rules }) => dedupe.setRules(rules));
  return dedupe;
};
