import { type Outcome, skipped } from "../core/outcome/outcome.ts";
import type { RetryRules } from "../core/outcome/retry-plan.ts";
import type { DeadLetterLimit } from "../limits/dead-letter-limit.ts";
import type { Dedupe } from "../limits/dedupe.ts";
import type { MemoryBudget } from "../limits/memory-budget.ts";
import { type Assignment, queueKeyOf } from "./assignment.ts";
import { awaitTurn, checkBacklog } from "./await-turn-step.ts";
import { DeadLetterGate } from "./dead-letter-gate.ts";
import { DeliverStep } from "./deliver-step.ts";
import { mustSpill } from "./hot-keys.ts";
import type { Clock, DeliveryPort, Observer, PublisherPort } from "./ports.ts";
import { Reservations } from "./reservations.ts";
import { SettleStep } from "./settle-step.ts";
import type { StepResult, Work } from "./step.ts";
import type { WorkItem } from "./work-item.ts";

export interface PipelineOptions {
  readonly delivery: DeliveryPort;
  readonly publisher: PublisherPort;
  readonly observer: Observer;
  readonly clock: Clock;
  readonly budget: MemoryBudget;
  readonly dedupe: Dedupe;
  readonly deadLetterLimit: Pick<DeadLetterLimit, "countIfAllowed" | "rulingOf" | "countOtherOutcome">;
  readonly retryRules: RetryRules;
  /** Calls in one round: the first attempt and its quick retries. */
  readonly maxQuickAttempts: number;
}

/** The scheduler's part of the options. */
interface PipelineScheduling {
  /** Called when the work on a head has ended, so that another head may start. */
  readonly onEnded: () => void;
  /** Starts the head of a queue again after this many milliseconds. */
  readonly startAgainAfter: (delayMs: number, work: Work) => void;
}

/** What the work on a head still waits for: a write (a promise), the verdict of a call, or nothing. */
type Pending = Promise<void> | "calling" | void;

const duplicate: StepResult = skipped("duplicate");

const isOutcome = (result: StepResult): result is Outcome =>
  result.kind === "delivered" || result.kind === "skipped" || result.kind === "retry" || result.kind === "dead";

/**
 * The road of an event. Steps 1 to 4 are in `intake/batch-reader.ts`: fetch, admit, parse, decide. Then:
 *
 * 5. `enqueue`: the event joins the queue of its user.
 * 6. `awaitTurn`: if an earlier event of the user waits in a retry topic, this one follows it there.
 * 7. `avoidCall`: no call is made for a known dead letter, a duplicate, a refusal that is on hold, or a hot key.
 * 8. `deliver`: the decision is applied. Most events need a call; its verdict becomes the next result.
 * 9. `settle`: each result has one effect (`#applyResult`). Retry topics and dead letters are written first.
 * 10. `complete` (`settle-step.ts`): the outcome is stored safely. The offset may be committed, and the user's next event
 *     starts.
 *
 * An exception is a bug in this program. Nothing catches it: the process ends, and nothing wrong is committed.
 */
export class Pipeline {
  readonly #options: PipelineOptions & PipelineScheduling;
  readonly #reservations: Reservations;
  readonly #deadLetterGate: DeadLetterGate;
  readonly #deliverStep: DeliverStep;
  readonly #settleStep: SettleStep;

  constructor(options: PipelineOptions & PipelineScheduling) {
    const { clock, budget, deadLetterLimit, delivery, maxQuickAttempts, publisher, observer, retryRules } = options;
    const { wallNow, random } = clock;
    this.#options = options;
    const reservations = new Reservations(budget);
    const deadLetterGate = new DeadLetterGate({ deadLetterLimit, wallNow });
    this.#reservations = reservations;
    this.#deadLetterGate = deadLetterGate;
    this.#deliverStep = new DeliverStep({ delivery, maxQuickAttempts, random });
    this.#settleStep = new SettleStep({ publisher, observer, retryRules, wallNow, reservations, deadLetterGate });
  }

  /** Step 5. A skipped event of a source topic is completed at once. In a retry topic it waits for its turn in the backlog. */
  enqueue(assignment: Assignment, item: WorkItem): void {
    const { decision, user } = item.parsed;
    this.#reservations.reserve(item);
    if (decision.kind === "skipped" && item.owned.tier === undefined) this.#settleStep.complete(item, decision);
    else assignment.queues.enqueue(queueKeyOf(item.owned, user), item);
  }

  /** Steps 6 to 10, for the head of a queue that the scheduler has taken. */
  process(work: Work): void {
    const pending = this.#applyResult(work, this.#nextFor(work));
    if (pending === undefined) queueMicrotask(this.#options.onEnded);
    else this.#endAfter(pending);
  }

  #nextFor(work: Work): StepResult {
    const { decision } = work.queue.head.parsed;
    return awaitTurn(work) ?? (decision.kind === "call" ? this.#avoidCall(work) : undefined) ?? decision;
  }

  #avoidCall({ queue }: Work): StepResult | undefined {
    return (
      queue.head.pendingDeadLetter ??
      this.#skipDuplicate(queue.head) ??
      this.#deadLetterGate.refusalOnHold(queue.head) ??
      this.#spill(queue)
    );
  }

  #skipDuplicate({ owned, parsed }: WorkItem): StepResult | undefined {
    const { dedupe, clock } = this.#options;
    return dedupe.isDuplicate(owned.partition, parsed.messageId, clock.wallNow) ? duplicate : undefined;
  }

  /** During a hold nothing spills: no user causes the full memory then. */
  #spill(queue: Work["queue"]): StepResult | undefined {
    return mustSpill(queue) && this.#options.delivery.state === "open" ? { kind: "spill" } : undefined;
  }

  /** Applies the effect of each result. */
  #applyResult(work: Work, result: StepResult): Pending {
    const { assignment, queue } = work;
    if (isOutcome(result)) return this.#applyOutcome(work, result);
    switch (result.kind) {
      case "call":
        this.#deliverStep.start(work, result, this.#onVerdict);
        return "calling";
      case "follow":
        return this.#settleStep.follow(work, result.tier);
      case "spill":
        return this.#settleStep.spill(work);
      case "superseded":
        return this.#settleStep.dropCopies(work);
      case "requeue":
        return assignment.queues.requeue(queue, result.end);
      case "wait":
        return this.#options.startAgainAfter(result.ms, work);
    }
  }

  #applyOutcome(work: Work, outcome: Outcome): Promise<void> | void {
    switch (outcome.kind) {
      case "delivered":
        this.#rememberDelivered(work.queue.head);
        return this.#settleStep.completeHead(work, outcome);
      case "skipped":
        return this.#settleStep.completeHead(work, outcome);
      case "retry":
        return this.#settleStep.retry(work, outcome);
      case "dead":
        return this.#settleStep.deadLetter(work, outcome);
    }
  }

  #rememberDelivered({ owned, parsed }: WorkItem): void {
    const { dedupe, clock } = this.#options;
    dedupe.recordDelivered(owned.partition, parsed.messageId, clock.wallNow());
  }

  /** The result is undefined if the assignment has ended meanwhile: then the verdict is ignored. */
  readonly #onVerdict = (work: Work, result: StepResult | undefined): void => {
    const pending = result && this.#applyResult(work, result);
    if (pending === undefined) this.#options.onEnded();
    else this.#endAfter(pending);
  };

  #endAfter(pending: Promise<void> | "calling"): void {
    if (pending !== "calling") void pending.then(this.#options.onEnded);
  }

  /** Whether the next step of an event is a call to Gainsight. */
  needsCall(item: WorkItem): boolean {
    return (
      item.parsed.decision.kind === "call" &&
      item.pendingDeadLetter === undefined &&
      checkBacklog(item).kind === "deliver" &&
      !this.#deadLetterGate.refusalOnHold(item)
    );
  }
}
