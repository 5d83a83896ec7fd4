import type { Intake } from "../intake/ingest.ts";
import type { Feed, UnreadableWait } from "../intake/owned-partition.ts";
import { feedKey, unreadableOf } from "../intake/owned-partition.ts";
import { isOther } from "../intake/plan-start.ts";
import { skipCommand, skipGroupOf } from "../intake/skip-requests.ts";
import type { UnreadableEvents } from "../intake/unreadable-batches.ts";
import type { ClusterAdmin, Committed } from "../kafka/admin.ts";
import { isOwnError } from "../kafka/own-errors.ts";
import { type Principal, groupRight, isRefusal, missingRight } from "../kafka/topics/refusals.ts";
import { decodeTopicId } from "../offsets/topic-id.ts";
import type { Log } from "../ops/log.ts";
import type { Metrics } from "../ops/metrics.ts";

export interface UnreadableWatchOptions {
  readonly admin: Pick<ClusterAdmin, "committed">;
  readonly config: { readonly kafka: { readonly groupId: string } };
  readonly rights: { readonly principal: Principal };
  readonly log: Pick<Log, "info" | "warn" | "error">;
  readonly metrics: Pick<Metrics, "offsetsSkipped">;
  readonly member: () => { readonly intake: Pick<Intake, "feeds" | "unreadable"> };
  readonly monotonic: () => number;
  readonly onFatal: (error: Error) => void;
}

const remindEveryMs = 60 * 60_000;

interface Waiting {
  readonly feed: Feed;
  readonly batch: UnreadableWait;
}

const commandFor = ({ feed: { topic, partition }, batch }: Waiting): string | undefined =>
  batch.mustWait ? undefined : skipCommand({ topic, partition, toOffset: batch.lastOffset + 1 });

const adviceFor = (waiting: Waiting): string => {
  const { offset, lastOffset } = waiting.batch;
  const command = commandFor(waiting);
  return command === undefined
    ? "It reads on when another broker leads or this one is repaired; it cannot be skipped, since nothing is known against its records"
    : `To skip offsets ${offset} to ${lastOffset}, which are lost then: ${command}`;
};

const sentenceOf = (waiting: Waiting): string => {
  const { feed, batch } = waiting;
  const { topic, partition, scan } = feed;
  const all = scan
    ? ` No topic's partition ${partition} is delivered meanwhile: it is not known who is parked there.`
    : "";
  return (
    `Partition ${partition} of ${topic} waits at offset ${batch.offset}, where a batch cannot be read: ${batch.reason}.${all} ` +
    adviceFor(waiting)
  );
};

/** Keeps an eye on the partitions that wait at a batch that cannot be read: tells of them, and asks whether it may be skipped. */
export class UnreadableWatch implements UnreadableEvents {
  readonly #options: UnreadableWatchOptions;
  /** When a partition's wait was last told of, by partition and position: every join meets it anew. */
  readonly #toldAt = new Map<string, number>();
  #running: Promise<void> | undefined;
  #problem: string | undefined;

  constructor(options: UnreadableWatchOptions) {
    this.#options = options;
  }

  /** For metrics and status. */
  get places() {
    return this.#waiting().map((waiting) => {
      const { feed, batch } = waiting;
      const { offset, lastOffset, reason } = batch;
      return { topic: feed.topic, partition: feed.partition, offset, lastOffset, reason, skip: commandFor(waiting) };
    });
  }

  get warnings(): readonly string[] {
    const sentences = this.#waiting().map((waiting) => sentenceOf(waiting));
    return this.#problem === undefined || sentences.length === 0 ? sentences : [...sentences, this.#problem];
  }

  readonly onWaits: UnreadableEvents["onWaits"] = () => void this.run();

  readonly onReadsOn: UnreadableEvents["onReadsOn"] = (place) =>
    this.#options.log.info(place, "The partition can be read again");

  readonly onSkipped: UnreadableEvents["onSkipped"] = (place) => {
    const { log, metrics } = this.#options;
    log.error(place, "Skipped offsets that cannot be read: their records are lost");
    metrics.offsetsSkipped(place.topic, place.lastOffset - place.offset + 1);
  };

  /** Tells what is new, or old enough to be told again, and asks what may be skipped. Joins the round under way. */
  run(): Promise<void> {
    const waiting = this.#waiting();
    for (const one of waiting) this.#remind(one);
    if (waiting.length === 0) return Promise.resolve();
    this.#running ??= this.#ask(waiting)
      .catch((error: unknown) => this.#failed(error))
      .finally(() => (this.#running = undefined));
    return this.#running;
  }

  get #group(): string {
    return skipGroupOf(this.#options.config.kafka.groupId);
  }

  #waiting(): Waiting[] {
    return this.#options.member().intake.feeds.flatMap((feed) => {
      const batch = unreadableOf(feed);
      return batch ? [{ feed, batch }] : [];
    });
  }

  #remind(waiting: Waiting): void {
    const { log, monotonic } = this.#options;
    const { feed, batch } = waiting;
    const key = `${feedKey(feed)}@${batch.position}`;
    if (monotonic() - (this.#toldAt.get(key) ?? -Infinity) < remindEveryMs) return;
    this.#toldAt.set(key, monotonic());
    const { offset, lastOffset, reason } = batch;
    const place = { topic: feed.topic, partition: feed.partition, offset, lastOffset, reason };
    log.warn({ ...place, skip: commandFor(waiting) }, sentenceOf(waiting));
  }

  async #ask(waiting: readonly Waiting[]): Promise<void> {
    const { admin, member } = this.#options;
    const topics = [...new Set(waiting.map(({ feed }) => feed.topic))];
    const allowed = await admin.committed(this.#group, topics);
    this.#problem = undefined;
    const { feeds, unreadable } = member().intake;
    for (const { feed } of waiting) {
      const answer = allowed.find((one) => feedKey(one) === feedKey(feed));
      if (feeds.includes(feed) && isFor(feed, answer)) unreadable.allow(feed, answer.offset);
    }
  }

  #failed(error: unknown): void {
    const { log, onFatal, rights } = this.#options;
    if (!isRefusal(error) && isOwnError(error))
      return onFatal(error instanceof Error ? error : new Error(String(error)));
    const problem = isRefusal(error)
      ? missingRight(groupRight("Describe", this.#group), rights.principal)
      : `Cannot ask what may be skipped: ${String(error)}`;
    if (problem !== this.#problem) log.warn(problem);
    this.#problem = problem;
  }
}

/** Whether the answer is about this very topic, which may have been made anew since. */
const isFor = (feed: Feed, answer: Committed | undefined): answer is Committed & { offset: number } =>
  answer?.offset !== undefined && !isOther(decodeTopicId(answer.metadata), feed.topicId);
