import { isOwnError } from "../kafka/own-errors.ts";
import { type TopicRights, allTopics, neededRights, readTopics, refusedRights } from "../kafka/topics/needed-rights.ts";
import {
  type Principal,
  type Right,
  groupRight,
  isRefusal,
  missingOneOf,
  missingRight,
  principalOf,
  refusedKind,
} from "../kafka/topics/refusals.ts";
import type { App } from "./compose.ts";

const tickMs = 1_000;
const askEveryTicks = 5;
/** A refusal that is not repeated for so long is over, where the cluster does not tell. */
const rememberMs = 30_000;

export interface RightsOptions extends Pick<App, "config" | "log"> {
  readonly admin: { readonly topics: (topics: readonly string[]) => Promise<readonly TopicRights[]> };
  readonly monotonic: () => number;
  readonly onFatal: (error: Error) => void;
}

/** Which rights the service lacks: by the cluster's own words, and by what it has refused. */
export class Rights {
  readonly #options: RightsOptions;
  /** Whom the cluster grants rights to. */
  readonly principal: Principal;
  #lacking: readonly Right[] = [];
  /** Sentences, and when each was last true. */
  readonly #refused = new Map<string, number>();
  #told: readonly string[] = [];
  #doesTell = false;
  #looking: Promise<void> | undefined;

  constructor(options: RightsOptions) {
    this.#options = options;
    this.principal = principalOf(options.config.kafka);
  }

  /** A sentence for each right that is missing, with the command that grants it. */
  get missing(): readonly string[] {
    const since = this.#options.monotonic() - rememberMs;
    const lately = [...this.#refused].filter(([, at]) => at > since).map(([sentence]) => sentence);
    return [...new Set([...this.#lacking.map((right) => missingRight(right, this.principal)), ...lately])];
  }

  /** Whether everything may be read, as far as the cluster tells. Asks it; throws where it does not answer. */
  async mayRead(): Promise<boolean> {
    await this.ask();
    this.#tell();
    return this.#lacking.every(({ operation }) => operation !== "Read");
  }

  /** Asks the cluster; throws where it does not answer. */
  async ask(): Promise<void> {
    const { admin, config } = this.#options;
    const answers = await admin.topics(allTopics(config.topics));
    this.#doesTell = answers.some(({ operations }) => operations !== undefined);
    this.#lacking = refusedRights(neededRights(config.topics), answers);
  }

  /** Asks the cluster, and tells what has changed. One that does not answer is asked again another time. */
  look(): Promise<void> {
    this.#looking ??= this.ask()
      .catch((error: unknown) => this.#cannotAsk(error))
      .finally(() => {
        this.#looking = undefined;
        this.#tell();
      });
    return this.#looking;
  }

  /** Asks every few seconds while the member is at work, sooner while something is missing. Returns the function that ends it. */
  watch(isAtWork: () => boolean): () => void {
    let ticks = 0;
    const timer = setInterval(() => {
      ticks++;
      if (isAtWork() && (this.missing.length > 0 || ticks % askEveryTicks === 0)) void this.look();
    }, tickMs);
    return () => clearInterval(timer);
  }

  /** An error of the member of the group: its cause is found out if it is a refusal; a mistake of ours ends the process. */
  problem(error: unknown, message: string): void {
    const { log, onFatal } = this.#options;
    if (isRefusal(error)) void this.refused(error);
    else if (isOwnError(error)) onFatal(error instanceof Error ? error : new Error(String(error)));
    else log.warn({ err: error }, message);
  }

  /** The cluster has refused something to the member of the group. Finds out what it was. */
  async refused(error: unknown): Promise<void> {
    const { config, monotonic } = this.#options;
    if (refusedKind(error) === "group") this.#refused.set(this.#ofGroup, monotonic());
    await this.look();
    if (refusedKind(error) !== "topic" || this.#doesTell) return;
    this.#refused.set(missingOneOf("Read", readTopics(config.topics), this.principal), monotonic());
    this.#tell();
  }

  /** The group has answered the member: it refuses nothing. */
  heardOfGroup(): void {
    if (this.#refused.delete(this.#ofGroup)) this.#tell();
  }

  get #ofGroup(): string {
    return missingRight(groupRight("Read", this.#options.config.kafka.groupId), this.principal);
  }

  #cannotAsk(error: unknown): void {
    const { log, onFatal } = this.#options;
    if (isOwnError(error)) return onFatal(error instanceof Error ? error : new Error(String(error)));
    return log.debug({ err: error }, "Cannot ask for the rights on topics");
  }

  #tell(): void {
    const { log } = this.#options;
    const { missing } = this;
    for (const sentence of missing) if (!this.#told.includes(sentence)) log.warn(sentence);
    if (missing.length === 0 && this.#told.length > 0) log.info("Kafka refuses no right any more");
    this.#told = missing;
  }
}
