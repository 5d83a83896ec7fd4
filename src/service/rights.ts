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
import type { App } from "./compose.ts";

const checkEveryMs = 1_000;
const checkEveryTicks = 5;
/** A refusal that is not repeated for so long is over, where the cluster does not tell. */
const refusalTtlMs = 30_000;

export interface RightsOptions extends Pick<App, "config" | "log"> {
  readonly admin: { readonly topicStates: (topics: readonly string[]) => Promise<readonly TopicRights[]> };
  readonly monotonicNow: () => number;
  readonly onFatal: (error: Error) => void;
}

/** Which rights the service lacks: by the cluster's own words, and by what it has refused. */
export class Rights {
  readonly #options: RightsOptions;
  /** Whom the cluster grants rights to. */
  readonly principal: Principal;
  #missingRights: readonly Right[] = [];
  /** Sentences, and when each was last true. */
  readonly #recentRefusals = new Map<string, number>();
  #reported: readonly string[] = [];
  #doesClusterReportRights = false;
  #checking: Promise<void> | undefined;

  constructor(options: RightsOptions) {
    this.#options = options;
    this.principal = principalOf(options.config.kafka);
  }

  /** A sentence for each right that is missing, with the command that grants it. */
  get missing(): readonly string[] {
    const since = this.#options.monotonicNow() - refusalTtlMs;
    const recent = [...this.#recentRefusals].filter(([, at]) => at > since).map(([sentence]) => sentence);
    return [...new Set([...this.#missingRights.map((right) => missingRight(right, this.principal)), ...recent])];
  }

  /** Whether everything may be read, as far as the cluster tells. Asks it; throws where it does not answer. */
  async checkMayRead(): Promise<boolean> {
    await this.refresh();
    this.#reportChanges();
    return this.#missingRights.every(({ operation }) => operation !== "Read");
  }

  /** Asks the cluster; throws where it does not answer. */
  async refresh(): Promise<void> {
    const { admin, config } = this.#options;
    const topicRights = await admin.topicStates(allTopics(config.topics));
    this.#doesClusterReportRights = topicRights.some(({ operations }) => operations !== undefined);
    this.#missingRights = refusedRights(neededRights(config.topics), topicRights);
  }

  /** Asks the cluster, and tells what has changed. One that does not answer is asked again another time. */
  checkNow(): Promise<void> {
    this.#checking ??= this.refresh()
      .catch((error: unknown) => this.#onCheckError(error))
      .finally(() => {
        this.#checking = undefined;
        this.#reportChanges();
      });
    return this.#checking;
  }

  /** Asks every few seconds while the member is at work, sooner while something is missing. Returns the function that ends it. */
  startChecking(isOwner: () => boolean): () => void {
    let ticks = 0;
    const timer = setInterval(() => {
      ticks++;
      if (isOwner() && (this.missing.length > 0 || ticks % checkEveryTicks === 0)) void this.checkNow();
    }, checkEveryMs);
    return () => clearInterval(timer);
  }

  /** An error of the member of the group: its cause is found out if it is a refusal; a mistake of ours ends the process. */
  handleError(error: unknown, message: string): void {
    const { log, onFatal } = this.#options;
    if (isAuthorizationError(error)) void this.recordRefusal(error);
    else if (isProgrammingError(error)) onFatal(error instanceof Error ? error : new Error(String(error)));
    else log.warn({ err: error }, message);
  }

  /** The cluster has refused something to the member of the group. Finds out what it was. */
  async recordRefusal(error: unknown): Promise<void> {
    const { config, monotonicNow } = this.#options;
    if (refusedResourceKind(error) === "group") this.#recentRefusals.set(this.#groupRightSentence, monotonicNow());
    await this.checkNow();
    if (refusedResourceKind(error) !== "topic" || this.#doesClusterReportRights) return;
    this.#recentRefusals.set(missingRightOnOneOf("Read", topicsToRead(config.topics), this.principal), monotonicNow());
    this.#reportChanges();
  }

  /** The group has answered the member: it refuses nothing. */
  recordGroupAnswer(): void {
    if (this.#recentRefusals.delete(this.#groupRightSentence)) this.#reportChanges();
  }

  get #groupRightSentence(): string {
    return missingRight(groupRight("Read", this.#options.config.kafka.groupId), this.principal);
  }

  #onCheckError(error: unknown): void {
    const { log, onFatal } = this.#options;
    if (isProgrammingError(error)) return onFatal(error instanceof Error ? error : new Error(String(error)));
    return log.debug({ err: error }, "Cannot ask for the rights on topics");
  }

  #reportChanges(): void {
    const { log } = this.#options;
    const { missing } = this;
    for (const sentence of missing) if (!this.#reported.includes(sentence)) log.warn(sentence);
    if (missing.length === 0 && this.#reported.length > 0) log.info("Kafka refuses no right any more");
    this.#reported = missing;
  }
}
