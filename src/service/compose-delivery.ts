import type { Config } from "../config/config.ts";
import { watchFile } from "../config/file-watch.ts";
import type { LiveSettings } from "../config/settings/live-settings.ts";
import { type Gainsight, createGainsight } from "../delivery/gainsight.ts";
import type { Log } from "../ops/log.ts";
import type { Metrics } from "../ops/metrics.ts";
import type { Observer } from "../ops/observer.ts";
import { createResultFalseReport } from "../ops/result-false-report.ts";
import { readUserAgent } from "../outbound/user-agent.ts";
import { clock } from "./clock.ts";

interface ComposeDeliveryOptions {
  readonly config: Config;
  readonly settings: LiveSettings;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly observer: Observer;
  /** Calls may go, or a probe. */
  readonly onMaySend: () => void;
}

/** The client of Gainsight, by the configuration and the current settings. */
export const composeDelivery = (options: ComposeDeliveryOptions): Gainsight => {
  const { config, settings, log, metrics, observer, onMaySend } = options;
  const { monotonicNow, random, schedule } = clock;
  return createGainsight({
    ...config.gainsight,
    breaker: config.breaker,
    userAgent: readUserAgent(),
    monotonicNow,
    random,
    schedule,
    watchFile,
    onMaySend,
    onHold: observer.holdChanged,
    onCall: observer.callEnded,
    failOnResultFalse: () => settings.current.failOnResultFalse,
    onResultFalse: createResultFalseReport({ schedule, log, metrics }),
  });
};
