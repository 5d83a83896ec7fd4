import type { Config } from "../config/config.ts";
import { watchFile } from "../config/file-watch.ts";
import type { LiveSettings } from "../config/settings/reload.ts";
import { type Gainsight, createGainsight } from "../delivery/gainsight.ts";
import type { Log } from "../ops/log.ts";
import type { Metrics } from "../ops/metrics.ts";
import type { Observer } from "../ops/observer.ts";
import { createResultFalseReport } from "../ops/result-false-report.ts";
import { readUserAgent } from "../outbound/user-agent.ts";
import { clock } from "./clock.ts";

interface CallingOptions {
  readonly config: Config;
  readonly settings: LiveSettings;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly observer: Observer;
  /** Calls may go, or a probe. */
  readonly onChange: () => void;
}

/** The way to Gainsight, by the configuration, the settings of the moment and a real clock. */
export const createCalling = ({ config, settings, log, metrics, observer, onChange }: CallingOptions): Gainsight =>
  createGainsight({
    ...clock,
    userAgent: readUserAgent(),
    // Holds are spans of time: a wall clock that is set must neither prolong nor end one.
    now: clock.monotonic,
    ...config.gainsight,
    breaker: config.breaker,
    watch: watchFile,
    onChange,
    onHold: observer.hold,
    onCall: observer.called,
    failOnResultFalse: () => settings.current.failOnResultFalse,
    onResultFalse: createResultFalseReport({ ...clock, log, metrics }),
  });
