import type { Config } from "../config/config.ts";
import { toError } from "../core/to-error.ts";
import type { ConsumerGroup } from "../intake/consumer-group.ts";
import { type LogCheckOptions, checkLogs } from "../intake/log-check.ts";
import { type LogReset, resetMessages } from "../intake/log-resets.ts";
import type { ClusterAdmin } from "../kafka/admin.ts";
import { isProgrammingError } from "../kafka/own-errors.ts";
import type { Principal } from "../kafka/rights/rights.ts";
import { type TopicsReport, ensureTopics } from "../kafka/topics/ensure-topics.ts";
import type { Log } from "../ops/log.ts";
import type { Metrics } from "../ops/metrics.ts";

export interface TopicWatchOptions {
  readonly admin: Pick<ClusterAdmin, "topicStates" | "createTopics" | "createPartitions" | "logRanges">;
  readonly config: Pick<Config, "topics">;
  readonly principal: Principal;
  readonly log: Log;
  readonly group: () => Pick<ConsumerGroup, "ingest" | "rebalanceHandler">;
  readonly monotonicNow: () => number;
  readonly schedule: (delayMs: number, callback: () => void) => void;
  readonly metrics: Pick<Metrics, "recordLogReset">;
  readonly onFatal: (error: Error) => void;
}

/** Two checks are at least this far apart. */
const minIntervalMs = 1_000;

const emptyReport: TopicsReport = {
  missing: [],
  problems: [],
  created: [],
  grown: [],
  unread: [],
  warnings: [],
};

/** Checks that all topics exist, that the retry topics have enough partitions, and that no log was recreated or truncated. */
export class TopicWatch {
  readonly #options: TopicWatchOptions;
  #report = emptyReport;
  #checking: Promise<void> | undefined;
  #isScheduled = false;
  #lastCheckAt = -Infinity;
  #hasJoined = false;

  constructor(options: TopicWatchOptions) {
    this.#options = options;
  }

  /** Why events cannot be delivered, as sentences. */
  get problems(): readonly string[] {
    const { missing } = this.#report;
    return missing.length > 0 ? [`These topics do not exist: ${missing.join(", ")}`] : [];
  }

  /** What an operator should know although events are delivered, as sentences. */
  get warnings(): readonly string[] {
    return this.#report.warnings;
  }

  /** For each source topic, how many of its partitions are not read. */
  get unreadPartitions(): TopicsReport["unread"] {
    return this.#report.unread;
  }

  /** For the start: creates missing topics if allowed. Resolves with the problem that remains; throws if the cluster refuses. */
  async checkBeforeJoin(): Promise<string | undefined> {
    await this.#refreshTopics();
    const [error] = this.#report.problems;
    if (error !== undefined) throw toError(error);
    return this.problems[0];
  }

  /** A topic or its log may have changed: checks as soon as `minIntervalMs` allows. */
  readonly checkSoon = (): void => {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    const { monotonicNow, schedule } = this.#options;
    schedule(Math.max(0, this.#lastCheckAt + minIntervalMs - monotonicNow()), () => {
      this.#isScheduled = false;
      // The check under way may have begun before the change.
      void (this.#checking ?? Promise.resolve()).then(() => this.checkNow());
    });
  };

  /** Checks topics and logs; joins a check under way, so that requests do not pile up at a slow cluster. Never rejects. */
  checkNow(): Promise<void> {
    const { state } = this.#options.group().rebalanceHandler;
    this.#hasJoined ||= state === "owner";
    if (!this.#hasJoined || state === "leaving") return Promise.resolve();
    this.#lastCheckAt = this.#options.monotonicNow();
    this.#checking ??= this.#checkTopicsAndLogs()
      .catch((error: unknown) => this.#onCheckError(error))
      .finally(() => (this.#checking = undefined));
    return this.#checking;
  }

  /** A partition could not continue where it was: logs and counts it. */
  readonly onLogReset = (reset: LogReset): void => {
    this.#options.log.error(reset, resetMessages[reset.cause]);
    this.#options.metrics.recordLogReset(reset.topic);
  };

  async #checkTopicsAndLogs(): Promise<void> {
    const { admin, config, group, onFatal } = this.#options;
    await this.#refreshTopics();
    const { rebalanceHandler, ingest } = group();
    if (rebalanceHandler.state !== "owner") return;
    const onLogReplaced: LogCheckOptions["onLogReplaced"] = (owned) => {
      rebalanceHandler.restartAssignment(owned).catch((error: unknown) => onFatal(toError(error)));
    };
    const isInDoubt = await checkLogs({
      admin,
      ingest,
      topics: config.topics,
      onLogReset: this.onLogReset,
      onLogReplaced,
      onFatal,
    });
    if (isInDoubt) this.checkSoon();
  }

  async #refreshTopics(): Promise<void> {
    const { admin, config, principal } = this.#options;
    const { source: sources, retry, deadLetter, create } = config.topics;
    const retryTopics = retry.map(({ topic }) => topic);
    const report = await ensureTopics(admin, { sources, retryTopics, deadLetter, mayCreate: create, principal });
    const previous = this.#report;
    this.#report = report;
    this.#logTopicChanges(report);
    this.#logWarnings(report.warnings, previous.warnings);
    // Before the first join, the startup reports missing topics.
    if (this.#hasJoined) this.#logMissing(report.missing, previous.missing);
  }

  #logTopicChanges({ created, grown, problems, growError }: TopicsReport): void {
    const { log } = this.#options;
    if (created.length > 0) log.info({ topics: created }, "Created topics");
    if (grown.length > 0)
      log.info({ topics: grown }, "Added partitions to retry topics, to match the largest source topic");
    for (const err of problems) log.debug({ err }, "Cannot describe or create a topic");
    if (growError !== undefined) log.debug({ err: growError }, "Cannot add partitions to a topic");
  }

  #logWarnings(warnings: readonly string[], previous: readonly string[]): void {
    const { log } = this.#options;
    for (const warning of warnings) if (!previous.includes(warning)) log.warn(warning);
    if (previous.length > 0 && warnings.length === 0) log.info("All partitions are read");
  }

  #logMissing(missing: readonly string[], previous: readonly string[]): void {
    const { log } = this.#options;
    if (missing.some((topic) => !previous.includes(topic)))
      log.error({ topics: missing }, "These topics do not exist any more");
    if (previous.length > 0 && missing.length === 0) log.info("All topics exist again");
  }

  #onCheckError(error: unknown): void {
    const { log, onFatal } = this.#options;
    if (isProgrammingError(error)) onFatal(toError(error));
    else log.debug({ err: error }, "Cannot check the topics and their logs");
  }
}
