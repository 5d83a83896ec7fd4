import type { Config } from "../config/config.ts";
import type { LiveSettings } from "../config/settings/live-settings.ts";
import type { Gainsight } from "../delivery/gainsight.ts";
import { SessionGuard } from "../kafka/group/session-guard.ts";
import type { RetryPublisher } from "../kafka/publish/retry-publisher.ts";
import type { DeadLetterLimit } from "../limits/dead-letter-limit.ts";
import type { Dedupe } from "../limits/dedupe.ts";
import type { MemoryBudget } from "../limits/memory-budget.ts";
import type { Log } from "../ops/log.ts";
import type { Observer } from "../ops/observer.ts";
import { Scheduler } from "../pipeline/scheduler.ts";
import { clock } from "./clock.ts";

/** A session outlasts any call, so that the group cannot remove this member while it waits for an answer. Milliseconds. */
export const sessionTimeoutOf = (config: Config): number =>
  Math.min(30_000, Math.max(15_000, config.gainsight.timeoutMs + 5_000));

interface SessionGuardOptions {
  readonly config: Config;
  readonly log: Log;
  /** The group answers again after it had not. */
  readonly onRecovered: () => void;
}

/** Says whether the session of this member with its group may be over. Then no call may start. Liveness calls its `check`. */
export const composeSessionGuard = ({ config, log, onRecovered }: SessionGuardOptions): SessionGuard =>
  new SessionGuard({
    sessionTimeoutMs: sessionTimeoutOf(config),
    callTimeoutMs: config.gainsight.timeoutMs,
    wallNow: clock.wallNow,
    monotonicNow: clock.monotonicNow,
    onChange: (isSessionAlive) => {
      if (isSessionAlive) log.info("The group answers again");
      else log.warn("The group does not answer: no new calls until it does");
    },
    onRecovered,
  });

interface ComposeSchedulerOptions {
  readonly config: Config;
  readonly settings: LiveSettings;
  readonly gainsight: Gainsight;
  readonly publisher: RetryPublisher;
  readonly observer: Observer;
  readonly budget: MemoryBudget;
  readonly dedupe: Dedupe;
  readonly deadLetterLimit: DeadLetterLimit;
  readonly sessionGuard: SessionGuard;
  readonly recheckWaiting: () => void;
}

/** The pipeline and what feeds it. */
export const composeScheduler = (options: ComposeSchedulerOptions): Scheduler => {
  const { config, settings, gainsight, sessionGuard, publisher, observer, budget, dedupe, deadLetterLimit } = options;
  return new Scheduler({
    publisher,
    observer,
    budget,
    dedupe,
    deadLetterLimit,
    delivery: gainsight.delivery,
    clock,
    retryRules: { ...config.retry, delaysMs: config.topics.retry.map(({ delayMs }) => delayMs) },
    maxQuickAttempts: config.retry.quickAttempts,
    // Enough to keep every connection busy while the next batch is fetched; what waits longer only costs memory.
    maxReadyQueues: Math.max(256, config.gainsight.concurrency),
    mayStart: () => !sessionGuard.isExpired,
    isPaused: () => settings.current.paused,
    recheckWaiting: options.recheckWaiting,
  });
};
