import type { Config } from "../config/config.ts";
import type { Member } from "../intake/consumer-group.ts";
import { type EndsOptions, askEnds } from "../intake/end-offsets.ts";
import { type LogReset, resetSentences } from "../intake/log-resets.ts";
import type { ClusterAdmin } from "../kafka/admin.ts";
import { isOwnError } from "../kafka/own-errors.ts";
import type { Principal } from "../kafka/topics/refusals.ts";
import { type TopicsReport, ensureTopics } from "../kafka/topics/topics.ts";
import type { Log } from "../ops/log.ts";
import type { Metrics } from "../ops/metrics.ts";

export interface TopicWatchOptions {
  readonly admin: Pick<ClusterAdmin, "topics" | "create" | "grow" | "ranges">;
  readonly config: Pick<Config, "topics">;
  readonly principal: Principal;
  readonly log: Log;
  readonly member: () => Pick<Member, "intake" | "membership">;
  readonly monotonic: () => number;
  readonly schedule: (delayMs: number, callback: () => void) => void;
  readonly metrics: Pick<Metrics, "logReset">;
  readonly onFatal: (error: Error) => void;
}

/** Rounds of questions are at least so far apart, whoever asks for them. */
const restMs = 1_000;

const nothing: TopicsReport = {
  missing: [],
  problems: [],
  created: [],
  grown: [],
  unread: [],
  warnings: [],
};

const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)));

/** Keeps an eye on the topics: whether all are there and large enough, and whether their logs are still those that are read from. */
export class TopicWatch {
  readonly #options: TopicWatchOptions;
  #report = nothing;
  #running: Promise<void> | undefined;
  #isAwaited = false;
  #lastAt = -Infinity;
  #hasJoined = false;

  constructor(options: TopicWatchOptions) {
    this.#options = options;
  }

  /** What stands in the way. */
  get reasons(): readonly string[] {
    const { missing } = this.#report;
    return missing.length > 0 ? [`These topics do not exist: ${missing.join(", ")}`] : [];
  }

  /** What does not stand in the way, but should be known. */
  get warnings(): readonly string[] {
    return this.#report.warnings;
  }

  /** How many partitions of each source are not read. */
  get unread(): TopicsReport["unread"] {
    return this.#report.unread;
  }

  /** Before the group is joined: what stands in the way. Throws what the cluster refuses. */
  async check(): Promise<string | undefined> {
    await this.#look();
    const [problem] = this.#report.problems;
    if (problem !== undefined) throw asError(problem);
    return this.reasons[0];
  }

  /** A log, or a topic, may not be what it was: asks soon, without waiting for the next round. */
  readonly soon = (): void => {
    if (this.#isAwaited) return;
    this.#isAwaited = true;
    const { monotonic, schedule } = this.#options;
    schedule(Math.max(0, this.#lastAt + restMs - monotonic()), () => {
      this.#isAwaited = false;
      // What is asked for now may have come up after the round under way has asked.
      void (this.#running ?? Promise.resolve()).then(() => this.run());
    });
  };

  /** One round of questions; joins the one under way. A cluster that is slow to answer must not be asked more and more. */
  run(): Promise<void> {
    const { state } = this.#options.member().membership;
    this.#hasJoined ||= state === "owner";
    if (!this.#hasJoined || state === "leaving") return Promise.resolve();
    this.#lastAt = this.#options.monotonic();
    this.#running ??= this.#round()
      .catch((error: unknown) => this.#failed(error))
      .finally(() => (this.#running = undefined));
    return this.#running;
  }

  /** For a log that is not the one that we knew. */
  readonly reset = (reset: LogReset): void => {
    this.#options.log.error(reset, resetSentences[reset.cause]);
    this.#options.metrics.logReset(reset.topic);
  };

  async #round(): Promise<void> {
    const { admin, config, member, onFatal } = this.#options;
    await this.#look();
    const { membership, intake } = member();
    if (membership.state !== "owner") return;
    const onOver: EndsOptions["onOver"] = (feeds) => {
      membership.beginAgain(feeds).catch((error: unknown) => onFatal(asError(error)));
    };
    const isDoubtful = await askEnds({ admin, intake, topics: config.topics, onReset: this.reset, onOver, onFatal });
    if (isDoubtful) this.soon();
  }

  async #look(): Promise<void> {
    const { admin, config, principal } = this.#options;
    const { source: sources, retry, deadLetter, create } = config.topics;
    const tiers = retry.map(({ topic }) => topic);
    const report = await ensureTopics(admin, { sources, tiers, deadLetter, create, principal });
    const before = this.#report;
    this.#report = report;
    this.#tell(report, before);
  }

  /** Once per change. */
  #tell(report: TopicsReport, before: TopicsReport): void {
    this.#tellChanges(report);
    const { log } = this.#options;
    const { warnings, missing } = report;
    for (const warning of warnings.filter((one) => !before.warnings.includes(one))) log.warn(warning);
    if (before.warnings.length > warnings.length && warnings.length === 0) log.info("All partitions are read");
    // The start says itself what it waits for.
    if (this.#hasJoined) this.#tellMissing(missing, before.missing);
  }

  #tellChanges({ created, grown, problems, notGrown }: TopicsReport): void {
    const { log } = this.#options;
    if (created.length > 0) log.info({ topics: created }, "Created topics");
    if (grown.length > 0) log.info({ topics: grown }, "Gave retry topics as many partitions as the largest source has");
    for (const err of problems) log.debug({ err }, "Cannot look at a topic, or make it");
    if (notGrown !== undefined) log.debug({ err: notGrown }, "Cannot give a topic more partitions");
  }

  #tellMissing(missing: readonly string[], before: readonly string[]): void {
    const { log } = this.#options;
    if (missing.some((topic) => !before.includes(topic)))
      log.error({ topics: missing }, "These topics do not exist any more");
    if (before.length > 0 && missing.length === 0) log.info("All topics are there again");
  }

  #failed(error: unknown): void {
    const { log, onFatal } = this.#options;
    if (isOwnError(error)) onFatal(asError(error));
    else log.debug({ err: error }, "Cannot ask about the topics and their logs");
  }
}
