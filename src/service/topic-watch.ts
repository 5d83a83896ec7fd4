import type { Config } from "../config/config.ts";
import type { ConsumerGroup } from "../intake/consumer-group.ts";
import { type LogCheckOptions, checkLogs } from "../intake/log-check.ts";
import { type LogReset, resetMessages } from "../intake/log-resets.ts";
import type { ClusterAdmin } from "../kafka/admin.ts";
import { isProgrammingError } from "../kafka/own-errors.ts";
import type { Principal } from "../kafka/topics/refusals.ts";
import { type TopicsReport, ensureTopics } from "../kafka/topics/topics.ts";
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

/** Rounds of questions are at least so far apart, whoever asks for them. */
const minIntervalMs = 1_000;

const emptyReport: TopicsReport = {
  missing: [],
  problems: [],
  created: [],
  grown: [],
  unread: [],
  warnings: [],
};

const toError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)));

/** Keeps an eye on the topics: whether all are there and large enough, and whether their logs are still those that are read from. */
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

  /** What stands in the way. */
  get problems(): readonly string[] {
    const { missing } = this.#report;
    return missing.length > 0 ? [`These topics do not exist: ${missing.join(", ")}`] : [];
  }

  /** What does not stand in the way, but should be known. */
  get warnings(): readonly string[] {
    return this.#report.warnings;
  }

  /** How many partitions of each source are not read. */
  get unreadPartitions(): TopicsReport["unread"] {
    return this.#report.unread;
  }

  /** Before the group is joined: what stands in the way. Throws what the cluster refuses. */
  async checkBeforeJoin(): Promise<string | undefined> {
    await this.#refreshTopics();
    const [problem] = this.#report.problems;
    if (problem !== undefined) throw toError(problem);
    return this.problems[0];
  }

  /** A log, or a topic, may not be what it was: asks soon, without waiting for the next round. */
  readonly checkSoon = (): void => {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    const { monotonicNow, schedule } = this.#options;
    schedule(Math.max(0, this.#lastCheckAt + minIntervalMs - monotonicNow()), () => {
      this.#isScheduled = false;
      // What is asked for now may have come up after the round under way has asked.
      void (this.#checking ?? Promise.resolve()).then(() => this.checkNow());
    });
  };

  /** One round of questions; joins the one under way. A cluster that is slow to answer must not be asked more and more. */
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

  /** For a log that is not the one that we knew. */
  readonly onLogReset = (reset: LogReset): void => {
    this.#options.log.error(reset, resetMessages[reset.cause]);
    this.#options.metrics.recordLogReset(reset.topic);
  };

  async #checkTopicsAndLogs(): Promise<void> {
    const { admin, config, group, onFatal } = this.#options;
    await this.#refreshTopics();
    const { rebalanceHandler: membership, ingest } = group();
    if (membership.state !== "owner") return;
    const onOver: LogCheckOptions["onLogReplaced"] = (owned) => {
      membership.restartAssignment(owned).catch((error: unknown) => onFatal(toError(error)));
    };
    const isDoubtful = await checkLogs({
      admin,
      ingest,
      topics: config.topics,
      onLogReset: this.onLogReset,
      onLogReplaced: onOver,
      onFatal,
    });
    if (isDoubtful) this.checkSoon();
  }

  async #refreshTopics(): Promise<void> {
    const { admin, config, principal } = this.#options;
    const { source: sources, retry, deadLetter, create } = config.topics;
    const retryTopics = retry.map(({ topic }) => topic);
    const report = await ensureTopics(admin, { sources, retryTopics, deadLetter, mayCreate: create, principal });
    const previous = this.#report;
    this.#report = report;
    this.#reportChanges(report, previous);
  }

  /** Once per change. */
  #reportChanges(report: TopicsReport, previous: TopicsReport): void {
    this.#logChanges(report);
    const { log } = this.#options;
    const { warnings, missing } = report;
    for (const warning of warnings.filter((warningText) => !previous.warnings.includes(warningText))) log.warn(warning);
    if (previous.warnings.length > warnings.length && warnings.length === 0) log.info("All partitions are read");
    // The start says itself what it waits for.
    if (this.#hasJoined) this.#logMissing(missing, previous.missing);
  }

  #logChanges({ created, grown, problems, growError: notGrown }: TopicsReport): void {
    const { log } = this.#options;
    if (created.length > 0) log.info({ topics: created }, "Created topics");
    if (grown.length > 0) log.info({ topics: grown }, "Gave retry topics as many partitions as the largest source has");
    for (const err of problems) log.debug({ err }, "Cannot look at a topic, or make it");
    if (notGrown !== undefined) log.debug({ err: notGrown }, "Cannot give a topic more partitions");
  }

  #logMissing(missing: readonly string[], previous: readonly string[]): void {
    const { log } = this.#options;
    if (missing.some((topic) => !previous.includes(topic)))
      log.error({ topics: missing }, "These topics do not exist any more");
    if (previous.length > 0 && missing.length === 0) log.info("All topics are there again");
  }

  #onCheckError(error: unknown): void {
    const { log, onFatal } = this.#options;
    if (isProgrammingError(error)) onFatal(toError(error));
    else log.debug({ err: error }, "Cannot ask about the topics and their logs");
  }
}
