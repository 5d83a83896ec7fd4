import { toError } from "../core/to-error.ts";
import type { Ingest } from "../intake/ingest.ts";
import type { OwnedPartition, UnreadableWait } from "../intake/owned-partition.ts";
import { currentUnreadableWait } from "../intake/owned-partition.ts";
import { isOtherTopic } from "../intake/plan-start-offset.ts";
import { skipCommand, skipGroupOf } from "../intake/skip-requests.ts";
import type { UnreadableEvents } from "../intake/unreadable-batches.ts";
import type { ClusterAdmin, CommittedOffset } from "../kafka/admin.ts";
import { isProgrammingError } from "../kafka/own-errors.ts";
import { isAuthorizationError } from "../kafka/rights/authorization-errors.ts";
import { missingRight } from "../kafka/rights/missing-right.ts";
import { type Principal, groupRight } from "../kafka/rights/rights.ts";
import { partitionKey } from "../kafka/topic-partition.ts";
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

/** A partition that waits at a batch that cannot be read. */
interface StuckPartition {
  readonly owned: OwnedPartition;
  readonly batch: UnreadableWait;
}

const skipCommandFor = ({ owned: { topic, partition }, batch }: StuckPartition): string | undefined =>
  batch.isUnskippable ? undefined : skipCommand({ topic, partition, toOffset: batch.lastOffset + 1 });

/** For the log, the metrics and `/api/status`. `skip` is the command that skips the batch; undefined if it cannot be skipped. */
const reportOf = (stuck: StuckPartition) => {
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
};

const adviceFor = (stuck: StuckPartition): string => {
  const { offset, lastOffset } = stuck.batch;
  const command = skipCommandFor(stuck);
  return command === undefined
    ? "It continues when another broker leads the partition or this broker is repaired. The batch cannot be skipped, because nothing shows that its records are damaged"
    : `To skip offsets ${offset} to ${lastOffset} and lose their records: ${command}`;
};

const sentenceOf = (stuck: StuckPartition): string => {
  const { topic, partition, backlogScan } = stuck.owned;
  const { offset, reason } = stuck.batch;
  const consequence = backlogScan
    ? ` Meanwhile partition ${partition} of every other topic waits too, because it is unknown which users are parked here.`
    : "";
  return `Partition ${partition} of ${topic} waits at offset ${offset}, because a batch cannot be read: ${reason}.${consequence} ${adviceFor(stuck)}`;
};

/** Watches the partitions that wait at a batch that cannot be read: logs them, and skips the batch if an operator allows it. */
export class UnreadableWatch implements UnreadableEvents {
  readonly #options: UnreadableWatchOptions;
  /** By partition and position, because every rebalance finds the same batch again. */
  readonly #lastReminderAt = new Map<string, number>();
  #checking: Promise<void> | undefined;
  /** Why the allowed skips cannot be read. */
  #problem: string | undefined;

  constructor(options: UnreadableWatchOptions) {
    this.#options = options;
  }

  get partitions() {
    return this.#stuckPartitions().map(reportOf);
  }

  get warnings(): readonly string[] {
    const sentences = this.#stuckPartitions().map(sentenceOf);
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

  /** Logs the partitions that wait, each once an hour, and applies the skips that are allowed. Joins a check under way. Never rejects. */
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
    log.warn(reportOf(stuck), sentenceOf(stuck));
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
    if (!isAuthorizationError(error) && isProgrammingError(error)) return onFatal(toError(error));
    const problem = isAuthorizationError(error)
      ? missingRight(groupRight("Describe", this.#skipGroup), rights.principal)
      : `Cannot check which offsets may be skipped: ${String(error)}`;
    if (problem !== this.#problem) log.warn(problem);
    this.#problem = problem;
  }
}

/** False if the skip was allowed for a topic of the same name that has been deleted since. */
const isForCurrentTopic = (
  owned: OwnedPartition,
  allowedSkip: CommittedOffset | undefined,
): allowedSkip is CommittedOffset & { offset: number } =>
  allowedSkip?.offset !== undefined && !isOtherTopic(decodeTopicId(allowedSkip.metadata), owned.topicId);
