import { type FailureDetails, type RetryState, eventKeyOf } from "../core/outcome/headers.ts";
import { type Dead, type Outcome, type Retry, dead } from "../core/outcome/outcome.ts";
import { type RetryRules, planRetry } from "../core/outcome/retry-plan.ts";
import { checkBacklog } from "./await-turn-step.ts";
import type { DeadLetterGate } from "./dead-letter-gate.ts";
import type { Observer, PublisherPort, RetryRecord } from "./ports.ts";
import type { Reservations } from "./reservations.ts";
import { limitParkedRecordOf, parkedRecordOf, retryRecordOf } from "./retry-records.ts";
import type { Work } from "./step.ts";
import type { WorkItem } from "./work-item.ts";

export interface SettleStepOptions {
  readonly publisher: PublisherPort;
  readonly observer: Observer;
  readonly retryRules: RetryRules;
  readonly wallNow: () => number;
}

interface SettleStepParts {
  readonly reservations: Reservations;
  readonly deadLetterGate: DeadLetterGate;
}

type FinalOutcome = Exclude<Outcome, { kind: "retry" }>;
type RetryRecords = readonly [RetryRecord, ...RetryRecord[]];

/** The largest write to a retry topic: well below a broker's default `message.max.bytes` of 1 MiB. */
const maxRunRecords = 100;
const maxRunBytes = 256 * 1024;

/** A foreign header may claim a first failure in the future. Such an event would never reach its maximum age. */
const firstFailedAtOf = ({ firstFailedAt }: RetryState, wallNow: number): number =>
  Math.min(firstFailedAt ?? wallNow, wallNow);

const allItems = (): boolean => true;

/** Stores the outcome of an event safely. Only then may its offset be committed, and the next event of its queue start. */
export class SettleStep {
  readonly #options: SettleStepOptions & SettleStepParts;

  constructor(options: SettleStepOptions & SettleStepParts) {
    this.#options = options;
  }

  /** Completes the head of a queue, which was delivered or skipped. */
  completeHead({ assignment, queue }: Work, outcome: Exclude<FinalOutcome, Dead>): void {
    const item = queue.head;
    assignment.queues.completeHead(queue);
    this.complete(item, outcome);
  }

  /** Completes an event that was delivered or skipped. */
  complete(item: WorkItem, outcome: Exclude<FinalOutcome, Dead>): void {
    this.#options.deadLetterGate.countOtherOutcome(item);
    this.#recordCompletion(item, outcome);
  }

  #recordCompletion(item: WorkItem, outcome: FinalOutcome): void {
    const { parsed, owned } = item;
    // The backlog is usually empty. Then the event key is not needed, and computing it costs time.
    if (owned.backlog.recordCount > 0) owned.backlog.complete(parsed.user, eventKeyOf(parsed.retryState.source));
    this.#release(item);
    this.#options.observer.completed(parsed, outcome);
  }

  #release(item: WorkItem): void {
    item.owned.tracker.complete(item.entry, item.parsed.retryState.source.index);
    this.#options.reservations.release(item);
  }

  /**
   * A round of calls has failed: the head goes to the next retry topic or, if its attempts or age are exhausted, to the
   * dead-letter topic.
   */
  retry(work: Work, failure: Retry): Promise<void> {
    const { head } = work.queue;
    const { retryState } = head.parsed;
    const wallNow = this.#options.wallNow();
    const attempts = retryState.attempts + 1;
    const firstFailedAt = firstFailedAtOf(retryState, wallNow);
    const { tier } = head.owned;
    const plan = planRetry(this.#options.retryRules, { failure, tier, attempts, firstFailedAt, wallNow });
    if (plan.kind === "tier")
      return this.#moveToRetryTopic(work, [
        retryRecordOf(head, { ...failure, attempts, firstFailedAt, tier: plan.tier }),
      ]);
    const { reason, error, status } = failure;
    if (reason === "unknown_schema") return this.deadLetter(work, dead(reason, error, status));
    return this.deadLetter(work, { ...dead("retries_exhausted", error, status), rule: reason });
  }

  /**
   * The head follows an earlier event of its user to a retry topic. Events behind it that must follow as well go in the
   * same write.
   */
  follow(work: Work, tier: number): Promise<void> {
    const { assignment, queue } = work;
    const error = "Waits for an earlier event of the same user";
    let bytes = 0;
    const follows = (item: WorkItem): boolean => {
      // The whole record is written, even if the item is one event of a list.
      bytes += item.parsed.record.value?.length ?? 0;
      return bytes < maxRunBytes && checkBacklog(item).kind === "forward";
    };
    queue.mustSpill = false;
    const [, ...followers] = assignment.queues.peekRun(queue, maxRunRecords, follows);
    const followingRecords = followers.map((item) => parkedRecordOf(item, tier, error));
    return this.#moveToRetryTopic(work, [parkedRecordOf(queue.head, tier, error), ...followingRecords]);
  }

  /** The head goes to the first retry topic, and the events behind it follow. That frees memory for other users. */
  spill(work: Work): Promise<void> {
    work.queue.mustSpill = false;
    const error = "Moved to the retry topic: more than 500 events of this user are queued";
    return this.#moveToRetryTopic(work, [parkedRecordOf(work.queue.head, 0, error)]);
  }

  async #moveToRetryTopic(work: Work, records: RetryRecords): Promise<void> {
    const { assignment, queue } = work;
    const offset = await this.#options.publisher.publishRetries(records, () => assignment.isCurrentGeneration);
    if (offset === undefined || !assignment.isCurrentGeneration) return;
    if (offset === "too_large") return this.#onTooLarge(work, records);
    for (const [index, item] of assignment.queues.peekRun(queue, records.length, allItems).entries()) {
      const failure = records[index]?.failure;
      // The copy may have been read and moved on before the write was acknowledged: then the newer copy counts.
      if (!failure || checkBacklog(item).kind === "superseded") continue;
      const { parsed, owned } = item;
      const position = { tier: failure.tier, offset: offset + index };
      owned.backlog.upsert(parsed.user, eventKeyOf(parsed.retryState.source), position);
      this.#options.observer.movedToRetry(parsed, failure);
    }
    this.dropCopies(work, records.length);
  }

  #onTooLarge(work: Work, [headRecord, ...followingRecords]: RetryRecords): Promise<void> {
    if (followingRecords.length > 0) return this.#moveToRetryTopic(work, [headRecord]);
    const { reason, error } = headRecord.failure;
    return this.deadLetter(work, dead("too_large", `${reason}: ${error}`));
  }

  /**
   * The head can never be delivered. At the dead-letter limit either all events are held, or the head is parked in a retry
   * topic.
   */
  async deadLetter(work: Work, outcome: Dead): Promise<void> {
    const { assignment, queue } = work;
    const item = queue.head;
    item.pendingDeadLetter = outcome;
    const ruling = this.#options.deadLetterGate.request(item, outcome);
    if (ruling === "held") return assignment.queues.requeue(queue, "front");
    if (ruling === "parked") return this.#park(work, outcome);
    const { parsed } = item;
    const { source, attempts } = parsed.retryState;
    const { reason, error, status } = outcome;
    const wasCalled = item.quickAttemptsUsed > 0 || reason === "rejected";
    const attemptsSpent = wasCalled ? attempts + 1 : attempts;
    const firstFailedAt = firstFailedAtOf(parsed.retryState, this.#options.wallNow());
    const failure: FailureDetails = { source, reason, error, status, attempts: attemptsSpent, firstFailedAt };
    const isWanted = (): boolean => assignment.isCurrentGeneration;
    const isSafe = await this.#options.publisher.publishDeadLetter(parsed, failure, isWanted);
    if (!isSafe || !assignment.isCurrentGeneration) return;
    assignment.queues.completeHead(queue);
    const retryState = { ...parsed.retryState, attempts: attemptsSpent };
    this.#recordCompletion({ ...item, parsed: { ...parsed, retryState } }, outcome);
  }

  /**
   * Parks the head in the next retry topic without using an attempt, so that its partition continues. Later it asks the
   * limit again.
   */
  #park(work: Work, outcome: Dead): Promise<void> {
    const { head } = work.queue;
    const nextTier = Math.min((head.owned.tier ?? -1) + 1, this.#options.retryRules.delaysMs.length - 1);
    return this.#moveToRetryTopic(work, [limitParkedRecordOf(head, nextTier, outcome)]);
  }

  /** Releases the first records of a queue without an outcome: newer copies of their events are in the retry topics. */
  dropCopies({ assignment, queue }: Work, count = 1): void {
    for (const item of assignment.queues.peekRun(queue, count, allItems)) this.#release(item);
    assignment.queues.completeHead(queue, count);
  }
}
