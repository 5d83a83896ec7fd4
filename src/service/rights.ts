import type { Config } from "../config/config.ts";
import { toError } from "../core/to-error.ts";
import { isProgrammingError } from "../kafka/own-errors.ts";
import { isAuthorizationError, refusedResourceKind } from "../kafka/rights/authorization-errors.ts";
import { missingRightOnOneOf, missingRight } from "../kafka/rights/missing-right.ts";
import {
  type TopicRights,
  allTopics,
  neededRights,
  topicsToRead,
  refusedRights,
} from "../kafka/rights/needed-rights.ts";
import { type Principal, type Right, groupRight, principalOf } from "../kafka/rights/rights.ts";
import type { Log } from "../ops/log.ts";

const checkEveryMs = 1_000;
/** While no right is missing, only every fifth check is made. */
const checkEveryTicks = 5;
/** A refusal counts for so long if the cluster does not report rights. */
const refusalTtlMs = 30_000;

export interface RightsOptions {
  readonly config: Config;
  readonly log: Log;
  readonly admin: { readonly topicStates: (topics: readonly string[]) => Promise<readonly TopicRights[]> };
  readonly monotonicNow: () => number;
  readonly onFatal: (error: Error) => void;
}

/** Which Kafka rights the service lacks: as the cluster reports them, and by the requests that it has refused. */
export class Rights {
  readonly #options: RightsOptions;
  /** The user that needs the rights. */
  readonly principal: Principal;
  #missingRights: readonly Right[] = [];
  /** When each sentence was last true. */
  readonly #refusedAt = new Map<string, number>();
  #loggedSentences: readonly string[] = [];
  #doesClusterReportRights = false;
  #checking: Promise<void> | undefined;

  constructor(options: RightsOptions) {
    this.#options = options;
    this.principal = principalOf(options.config.kafka);
  }

  /** One sentence for each missing right, with the command that grants it. */
  get missing(): readonly string[] {
    const since = this.#options.monotonicNow() - refusalTtlMs;
    const refused = [...this.#refusedAt].filter(([, at]) => at > since).map(([sentence]) => sentence);
    return [...new Set([...this.#missingRights.map((right) => missingRight(right, this.principal)), ...refused])];
  }

  /** Whether every topic may be read, as of the last `refresh`. True if the cluster does not report rights. */
  get mayRead(): boolean {
    return this.#missingRights.every(({ operation }) => operation !== "Read");
  }

  /** Requests the rights from the cluster. Throws if it does not answer. */
  async refresh(): Promise<void> {
    const { admin, config } = this.#options;
    const topicRights = await admin.topicStates(allTopics(config.topics));
    this.#doesClusterReportRights = topicRights.some(({ operations }) => operations !== undefined);
    this.#missingRights = refusedRights(neededRights(config.topics), topicRights);
  }

  /** As `refresh`, and logs what has changed. */
  async refreshAndLog(): Promise<void> {
    await this.refresh();
    this.#logChanges();
  }

  /** As `refreshAndLog`, but joins a check under way and does not throw: a cluster that does not answer is asked again later. */
  checkNow(): Promise<void> {
    this.#checking ??= this.refresh()
      .catch((error: unknown) => this.#onCheckError(error))
      .finally(() => {
        this.#checking = undefined;
        this.#logChanges();
      });
    return this.#checking;
  }

  /** Checks every five seconds while this instance owns partitions, every second while a right is missing. Returns the function that stops it. */
  startChecking(isOwner: () => boolean): () => void {
    let ticks = 0;
    const timer = setInterval(() => {
      ticks++;
      if (isOwner() && (this.missing.length > 0 || ticks % checkEveryTicks === 0)) void this.checkNow();
    }, checkEveryMs);
    return () => clearInterval(timer);
  }

  /** Handles an error of the consumer group: a refusal is recorded, a mistake of this program is fatal, anything else is logged with `message`. */
  handleError(error: unknown, message: string): void {
    const { log, onFatal } = this.#options;
    if (isAuthorizationError(error)) void this.recordRefusal(error);
    else if (isProgrammingError(error)) onFatal(toError(error));
    else log.warn({ err: error }, message);
  }

  /** Kafka has refused a request of the consumer group. Finds out which right is missing. */
  async recordRefusal(error: unknown): Promise<void> {
    const { config, monotonicNow } = this.#options;
    if (refusedResourceKind(error) === "group") this.#refusedAt.set(this.#groupRightSentence, monotonicNow());
    await this.checkNow();
    if (refusedResourceKind(error) !== "topic" || this.#doesClusterReportRights) return;
    this.#refusedAt.set(missingRightOnOneOf("Read", topicsToRead(config.topics), this.principal), monotonicNow());
    this.#logChanges();
  }

  /** The group has answered, so the right on it is not missing. */
  recordGroupAnswer(): void {
    if (this.#refusedAt.delete(this.#groupRightSentence)) this.#logChanges();
  }

  get #groupRightSentence(): string {
    return missingRight(groupRight("Read", this.#options.config.kafka.groupId), this.principal);
  }

  #onCheckError(error: unknown): void {
    const { log, onFatal } = this.#options;
    if (isProgrammingError(error)) return onFatal(toError(error));
    return log.debug({ err: error }, "Cannot check the rights on topics");
  }

  #logChanges(): void {
    const { log } = this.#options;
    const { missing } = this;
    for (const sentence of missing) if (!this.#loggedSentences.includes(sentence)) log.warn(sentence);
    if (missing.length === 0 && this.#loggedSentences.length > 0) log.info("Kafka no longer refuses any right");
    this.#loggedSentences = missing;
  }
}
