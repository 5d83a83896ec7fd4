import type { Ingest } from "../intake/ingest.ts";
import type { OwnedPartition, UnreadableWait } from "../intake/owned-partition.ts";
import { partitionKey, currentUnreadableWait } from "../intake/owned-partition.ts";
import { isOtherTopic } from "../intake/plan-start-offset.ts";
import { skipCommand, skipGroupOf } from "../intake/skip-requests.ts";
import type { UnreadableEvents } from "../intake/unreadable-batches.ts";
import type { ClusterAdmin, CommittedOffset } from "../kafka/admin.ts";
import { isProgrammingError } from "../kafka/own-errors.ts";
import { type Principal, groupRight, isAuthorizationError, missingRight } from "../kafka/topics/refusals.ts";
import { decodeTopicId } from "../offsets/topic-id.ts";
import type { Log } from "../ops/log.ts";
import type { Metrics } from "../ops/metrics.ts";

export interface UnreadableWatchOptions {
  readonly admin: Pick<ClusterAdmin, "committedOffsets">;
  readonly config: { readonly kafka: { readonly groupId: string } };
  readonly rights: { readonly principal: Principal };
  readonly log: Pick<Log, "info" | "warn" | "error">;
  readonly metrics: Pick<Metrics, "recordSkippedOffsets">;
  readonly group: () => { readonly ingest: Pick<Ingest, "ownedPartitions" | "unreadable"> };
  readonly monotonicNow: () => number;
  readonly onFatal: (error: Error) => void;
}

const remindEveryMs = 60 * 60_000;

interface StuckPartition {
  readonly owned: OwnedPartition;
  readonly batch: UnreadableWait;
}

const skipCommandFor = ({ owned: { topic, partition }, batch }: StuckPartition): string | undefined =>
  batch.mustWait ? undefined : skipCommand({ topic, partition, toOffset: batch.lastOffset + 1 });

const adviceFor = (stuck: StuckPartition): string => {
  const { offset, lastOffset } = stuck.batch;
  const command = skipCommandFor(stuck);
  return command === undefined
    ? "It reads on when another broker leads or this one is repaired; it cannot be skipped, since nothing is known against its records"
    : `To skip offsets ${offset} to ${lastOffset}, which are lost then: ${command}`;
};

const sentenceOf = (stuck: StuckPartition): string => {
  const { owned, batch } = stuck;
  const { topic, partition, backlogScan: scan } = owned;
  const all = scan
    ? ` No topic's partition ${partition} is delivered meanwhile: it is not known who is parked there.`
    : "";
  return (
    `Partition ${partition} of ${topic} waits at offset ${batch.offset}, where a batch cannot be read: ${batch.reason}.${all} ` +
    adviceFor(stuck)
  );
};

/** Keeps an eye on the partitions that wait at a batch that cannot be read: tells of them, and asks whether it may be skipped. */
export class UnreadableWatch implements UnreadableEvents {
  readonly #options: UnreadableWatchOptions;
  /** When a partition's wait was last told of, by partition and position: every join meets it anew. */
  readonly #lastReminderAt = new Map<string, number>();
  #checking: Promise<void> | undefined;
  #problem: string | undefined;

  constructor(options: UnreadableWatchOptions) {
    this.#options = options;
  }

  /** For metrics and status. */
  get partitions() {
    return this.#stuckPartitions().map((stuck) => {
      const { owned, batch } = stuck;
      const { offset, lastOffset, reason } = batch;
      return {
        topic: owned.topic,
        partition: owned.partition,
        offset,
        lastOffset,
        reason,
        skip: skipCommandFor(stuck),
      };
    });
  }

  get warnings(): readonly string[] {
    const sentences = this.#stuckPartitions().map((stuck) => sentenceOf(stuck));
    return this.#problem === undefined || sentences.length === 0 ? sentences : [...sentences, this.#problem];
  }

  readonly onWaiting: UnreadableEvents["onWaiting"] = () => void this.check();

  readonly onResumed: UnreadableEvents["onResumed"] = (unreadable) =>
    this.#options.log.info(unreadable, "The partition can be read again");

  readonly onSkipped: UnreadableEvents["onSkipped"] = (unreadable) => {
    const { log, metrics } = this.#options;
    log.error(unreadable, "Skipped offsets that cannot be read: their records are lost");
    metrics.recordSkippedOffsets(unreadable.topic, unreadable.lastOffset - unreadable.offset + 1);
  };

  /** Tells what is new, or old enough to be told again, and asks what may be skipped. Joins the round under way. */
  check(): Promise<void> {
    const stuck = this.#stuckPartitions();
    for (const candidate of stuck) this.#remind(candidate);
    if (stuck.length === 0) return Promise.resolve();
    this.#checking ??= this.#applyAllowedSkips(stuck)
      .catch((error: unknown) => this.#onCheckError(error))
      .finally(() => (this.#checking = undefined));
    return this.#checking;
  }

  get #skipGroup(): string {
    return skipGroupOf(this.#options.config.kafka.groupId);
  }

  #stuckPartitions(): StuckPartition[] {
    return this.#options.group().ingest.ownedPartitions.flatMap((owned) => {
      const batch = currentUnreadableWait(owned);
      return batch ? [{ owned, batch }] : [];
    });
  }

  #remind(stuck: StuckPartition): void {
    const { log, monotonicNow } = this.#options;
    const { owned, batch } = stuck;
    const key = `${partitionKey(owned)}@${batch.position}`;
    if (monotonicNow() - (this.#lastReminderAt.get(key) ?? -Infinity) < remindEveryMs) return;
    this.#lastReminderAt.set(key, monotonicNow());
    const { offset, lastOffset, reason } = batch;
    const unreadable = { topic: owned.topic, partition: owned.partition, offset, lastOffset, reason };
    log.warn({ ...unreadable, skip: skipCommandFor(stuck) }, sentenceOf(stuck));
  }

  async #applyAllowedSkips(stuck: readonly StuckPartition[]): Promise<void> {
    const { admin, group } = this.#options;
    const topics = [...new Set(stuck.map(({ owned }) => owned.topic))];
    const allowedSkips = await admin.committedOffsets(this.#skipGroup, topics);
    this.#problem = undefined;
    const { ownedPartitions, unreadable } = group().ingest;
    for (const { owned } of stuck) {
      const allowedSkip = allowedSkips.find((candidate) => partitionKey(candidate) === partitionKey(owned));
      if (ownedPartitions.includes(owned) && isForCurrentTopic(owned, allowedSkip))
        unreadable.allowSkip(owned, allowedSkip.offset);
    }
  }

  #onCheckError(error: unknown): void {
    const { log, onFatal, rights } = this.#options;
    if (!isAuthorizationError(error) && isProgrammingError(error))
      return onFatal(error instanceof Error ? error : new Error(String(error)));
    const problem = isAuthorizationError(error)
      ? missingRight(groupRight("Describe", this.#skipGroup), rights.principal)
      : `Cannot ask what may be skipped: ${String(error)}`;
    if (problem !== this.#problem) log.warn(problem);
    this.#problem = problem;
  }
}

/** Whether the answer is about this very topic, which may have been made anew since. */
const isForCurrentTopic = (
  owned: OwnedPartition,
  allowedSkip: CommittedOffset | undefined,
): allowedSkip is CommittedOffset & { offset: number } =>
  allowedSkip?.offset !== undefined && !isOtherTopic(decodeTopicId(allowedSkip.metadata), owned.topicId);
