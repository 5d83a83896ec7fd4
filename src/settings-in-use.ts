import type { Config } from "./config/config.ts";
import { type LiveSettings, createLiveSettings } from "./config/live-settings.ts";
import { createAllowList } from "./core/allow-list.ts";
import type { Log } from "./ops/log.ts";

/** The settings of the moment, with a line in the log for each change. */
export const openSettings = ({ config, log }: { config: Config; log: Log }): LiveSettings =>
  createLiveSettings({
    file: config.settingsFile,
    initial: config.settings,
    now: Date.now,
    onRead: (problem) => {
      if (problem === undefined) log.info("The settings file has changed and is taken up");
      else log.warn({ problem }, "Cannot take up the settings file, the settings before it stay");
    },
  });

/** Which track events go, by the settings of the moment. */
export const createLiveAllowList = (settings: LiveSettings): ((event: string) => boolean) => {
  let isAllowed = createAllowList(settings.current);
  settings.onChange((changed) => {
    isAllowed = createAllowList(changed);
  });
  return (event) => isAllowed(event);
};
