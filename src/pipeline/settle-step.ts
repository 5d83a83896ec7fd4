import { type FailureDetails, type RetryState, eventKeyOf } from "../core/outcome/headers.ts";
import { type Dead, type Outcome, type Retry, dead } from "../core/outcome/outcome.ts";
import { type RetryRules, planRetry } from "../core/outcome/retry-plan.ts";
import type { DeadLetterLimit, DeadLetterRuling } from "../limits/dead-letter-limit.ts";
import type { MemoryBudget } from "../limits/memory-budget.ts";
import type { OffsetEntry } from "../offsets/tracker.ts";
import type { KeyQueue } from "../ordering/key-queues.ts";
import type { Clock, RetryRecord, Observer, PublisherPort } from "./ports.ts";
import {
  deadLetterCauseOf,
  limitParkedRecordOf,
  retryRecordOf,
  parkedRecordOf,
  earlierRefusalOf,
} from "./retry-records.ts";
import { type Assignment, type WorkItem, checkBacklog } from "./work-item.ts";

export interface SettleStepOptions {
  readonly publisher: PublisherPort;
  readonly observer: Observer;
  readonly clock: Clock;
  readonly budget: MemoryBudget;
  readonly deadLetterLimit: Pick<DeadLetterLimit, "isHeld" | "countIfAllowed" | "rulingOf" | "countOtherOutcome">;
  readonly retryRules: RetryRules;
}

type FinalOutcome = Exclude<Outcome, { kind: "retry" }>;
type RetryRecords = readonly [RetryRecord, ...RetryRecord[]];

/** Records that go to a tier in one write, and their bytes: well below what a broker takes in one request. */
const maxRunRecords = 100;
const maxRunBytes = 256 * 1024;

/** A first failure in the future, by a foreign header, would never be old enough to end. */
const firstFailedAtOf = ({ firstFailedAt }: RetryState, wallNow: number): number =>
  Math.min(firstFailedAt ?? wallNow, wallNow);

/** Makes the outcome of a lane's head safe, and only then lets its offset be committed and its lane go on. */
export class SettleStep {
  readonly #options: SettleStepOptions;
  /** Lists whose record is charged to the budget. */
  readonly #reservedLists = new WeakSet<OffsetEntry>();
  /** Lists that have a dead letter already. */
  readonly #deadLetteredLists = new WeakSet<OffsetEntry>();

  constructor(options: SettleStepOptions) {
    this.#options = options;
  }

  /** One round has failed: to the next tier, or, when attempts and age are spent, to the dead letters. */
  retry(assignment: Assignment, queue: KeyQueue<WorkItem>, failure: Retry): Promise<void> {
    const { retryState } = queue.head.parsed;
    const wallNow = this.#options.clock.wallNow();
    const attempts = retryState.attempts + 1;
    const firstFailedAt = firstFailedAtOf(retryState, wallNow);
    const { tier } = queue.head.owned;
    const plan = planRetry(this.#options.retryRules, { failure, tier, attempts, firstFailedAt, wallNow });
    if (plan.kind === "tier")
      return this.#moveToRetryTopic(assignment, queue, [
        retryRecordOf(queue.head, { ...failure, attempts, firstFailedAt, tier: plan.tier }),
      ]);
    const { reason, error, status } = failure;
    if (reason === "unknown_schema") return this.deadLetter(assignment, queue, dead(reason, error, status));
    return this.deadLetter(assignment, queue, { ...dead("retries_exhausted", error, status), rule: reason });
  }

  /** An earlier event of the user waits in a tier: the head waits behind it, and in one write those behind the head that follow. */
  forward(assignment: Assignment, queue: KeyQueue<WorkItem>, tier: number): Promise<void> {
    const error = "Waits behind an earlier event of its user";
    let bytes = 0;
    const follows = (item: WorkItem): boolean => {
      // The whole record is written, also where it is but one event of a list.
      bytes += item.parsed.record.value?.length ?? 0;
      return bytes < maxRunBytes && checkBacklog(item).kind === "forward";
    };
    queue.mustSpill = false;
    const [, ...more] = assignment.queues.peekRun(queue, maxRunRecords, follows);
    const records = more.map((item) => parkedRecordOf(item, tier, error));
    return this.#moveToRetryTopic(assignment, queue, [parkedRecordOf(queue.head, tier, error), ...records]);
  }

  /** Too much waits behind the head: it goes to the first tier, those behind it follow, and other users have room. */
  spill(assignment: Assignment, queue: KeyQueue<WorkItem>): Promise<void> {
    queue.mustSpill = false;
    return this.#moveToRetryTopic(assignment, queue, [
      parkedRecordOf(queue.head, 0, "Makes way: too much of its user waits"),
    ]);
  }

  async #moveToRetryTopic(assignment: Assignment, queue: KeyQueue<WorkItem>, records: RetryRecords): Promise<void> {
    const offset = await this.#options.publisher.publishRetries(records, () => assignment.isCurrentGeneration);
    if (offset === undefined || !assignment.isCurrentGeneration) return;
    if (offset === "too_large") return this.#onTooLarge(assignment, queue, records);
    for (const [index, item] of assignment.queues.peekRun(queue, records.length, () => true).entries()) {
      const { parsed, owned } = item;
      const failure = records[index]?.failure;
      // Its copy may have been read, and gone on, before the write was acknowledged: then that one counts.
      if (!failure || checkBacklog(item).kind === "superseded") continue;
      owned.backlog.upsert(parsed.user, eventKeyOf(parsed.retryState.source), {
        tier: failure.tier,
        offset: offset + index,
      });
      this.#options.observer.movedToRetry(parsed, failure);
    }
    this.dropCopies(assignment, queue, records.length);
  }

  #onTooLarge(assignment: Assignment, queue: KeyQueue<WorkItem>, [first, ...more]: RetryRecords): Promise<void> {
    if (more.length > 0) return this.#moveToRetryTopic(assignment, queue, [first]);
    const { reason, error } = first.failure;
    return this.deadLetter(assignment, queue, dead("too_large", `${reason}: ${error}`));
  }

  async deadLetter(assignment: Assignment, queue: KeyQueue<WorkItem>, outcome: Dead): Promise<void> {
    const item = queue.head;
    const { clock, publisher } = this.#options;
    item.pendingDeadLetter = outcome;
    const ruling = this.#requestDeadLetter(item, outcome);
    if (ruling === "held") return assignment.queues.requeue(queue, "front");
    if (ruling === "parked") return this.#park(assignment, queue, outcome);
    const { parsed } = item;
    const { source, attempts } = parsed.retryState;
    const firstFailedAt = firstFailedAtOf(parsed.retryState, clock.wallNow());
    const { reason, error, status } = outcome;
    const wasCalled = item.quickAttemptsUsed > 0 || reason === "rejected";
    const attemptsSpent = wasCalled ? attempts + 1 : attempts;
    const failure: FailureDetails = { source, reason, error, status, attempts: attemptsSpent, firstFailedAt };
    const isSafe = await publisher.publishDeadLetter(parsed, failure, () => assignment.isCurrentGeneration);
    if (!isSafe || !assignment.isCurrentGeneration) return;
    assignment.queues.completeHead(queue);
    this.#complete(
      { ...item, parsed: { ...parsed, retryState: { ...parsed.retryState, attempts: attemptsSpent } } },
      outcome,
    );
  }

  /**
   * Too many end like the head: it waits in the next retry topic, without using an attempt, so that its partition goes on. From
   * there it comes back and asks again.
   */
  #park(assignment: Assignment, queue: KeyQueue<WorkItem>, outcome: Dead): Promise<void> {
    const { tier = -1 } = queue.head.owned;
    const nextTier = Math.min(tier + 1, this.#options.retryRules.delaysMs.length - 1);
    return this.#moveToRetryTopic(assignment, queue, [limitParkedRecordOf(queue.head, nextTier, outcome)]);
  }

  /** Gainsight has refused it, and what it refuses like that still waits: to ask again and again would only be a burden. */
  refusalOnHold(item: WorkItem): Dead | undefined {
    const refusal = earlierRefusalOf(item);
    return refusal && this.#options.deadLetterLimit.rulingOf(deadLetterCauseOf(item, refusal)) === "parked"
      ? refusal
      : undefined;
  }

  /** To the limit of dead letters a list is one bad record, however many of its events are dead. */
  #requestDeadLetter(item: WorkItem, outcome: Dead): DeadLetterRuling {
    const { entry, sharedBytes } = item;
    const { deadLetterLimit, clock } = this.#options;
    const cause = deadLetterCauseOf(item, outcome);
    if (this.#deadLetteredLists.has(entry)) return deadLetterLimit.rulingOf(cause);
    const ruling = deadLetterLimit.countIfAllowed(cause, outcome.error, clock.wallNow());
    if (ruling === "admitted" && sharedBytes > 0) this.#deadLetteredLists.add(entry);
    return ruling;
  }

  /** The final outcome of a lane's head, any but dead. */
  completeHead(assignment: Assignment, queue: KeyQueue<WorkItem>, outcome: Exclude<FinalOutcome, Dead>): void {
    const item = queue.head;
    assignment.queues.completeHead(queue);
    this.complete(item, outcome);
  }

  complete(item: WorkItem, outcome: Exclude<FinalOutcome, Dead>): void {
    this.#options.deadLetterLimit.countOtherOutcome(item.parsed.retryState.source.topic, this.#options.clock.wallNow());
    this.#complete(item, outcome);
  }

  #complete(item: WorkItem, outcome: FinalOutcome): void {
    const { parsed, owned } = item;
    // Nobody waits in the retry topics, as a rule: then the key need not be made.
    if (owned.backlog.recordCount > 0) owned.backlog.complete(parsed.user, eventKeyOf(parsed.retryState.source));
    this.#release(item);
    this.#options.observer.completed(parsed, outcome);
  }

  /** Charges the budget for an event; the record of a list is charged once, with its first event. */
  reserve({ entry, bytes, sharedBytes }: WorkItem): void {
    this.#options.budget.reserve(bytes);
    if (sharedBytes === 0 || this.#reservedLists.has(entry)) return;
    this.#reservedLists.add(entry);
    this.#options.budget.reserve(sharedBytes, 0);
  }

  /** The record of a list is held until the last of its events is. */
  #release({ parsed, owned, entry, bytes, sharedBytes }: WorkItem): void {
    owned.tracker.complete(entry, parsed.retryState.source.index);
    this.#options.budget.release(bytes);
    if (sharedBytes > 0 && entry.openEvents === 0) this.#options.budget.release(sharedBytes, 0);
  }

  /** These copies of a lane's first records are done with; the events live on elsewhere. */
  dropCopies(assignment: Assignment, queue: KeyQueue<WorkItem>, count = 1): void {
    for (const item of assignment.queues.peekRun(queue, count, () => true)) this.#release(item);
    assignment.queues.completeHead(queue, count);
  }
}
