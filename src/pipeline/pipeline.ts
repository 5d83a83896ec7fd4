import { skipped } from "../core/outcome/outcome.ts";
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
  /** Calls in one round: the first and its quick repetitions. */
  readonly maxQuickAttempts: number;
}

/** What the scheduler does for the pipeline. */
interface PipelineScheduling {
  /** The work on a head has ended. Another head may start. */
  readonly onEnded: () => void;
  /** The head of a queue may start again after this many milliseconds. */
  readonly startAgainAfter: (delayMs: number, work: Work) => void;
}

/** What the work on a head still waits for: a write, the verdict of a call, or nothing. */
type Settling = Promise<void> | "calling" | void;

const duplicate: StepResult = skipped("duplicate");

/**
 * The road of an event. Intake admits a record, parses it and decides what each of its events means (`intake/ingest.ts`). Then:
 *
 * 1. `enqueue`: behind the other events of its user.
 * 2. `awaitTurn`: does an earlier event of the user wait in a retry topic? Then this one follows it there.
 * 3. `avoidCall`: a known dead letter, a duplicate, a refusal that is on hold, a hot key: reasons to make no call now.
 * 4. The decision: a call, unless the event is skipped, retried or dead-lettered without one.
 * 5. `settle`: the result gets its effect. A call is started, and its verdict is a result again.
 * 6. `complete` (`settle-step.ts`): the outcome is safe. The offset may be committed, and the next event of the user starts.
 *
 * An exception is a bug of ours: nobody catches it, the process ends, and nothing wrong is committed.
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

  /** Step 1. If there is nothing to do for the event, it is completed at once, unless it is in its user's retry backlog. */
  enqueue(assignment: Assignment, item: WorkItem): void {
    const { decision, user } = item.parsed;
    this.#reservations.reserve(item);
    if (decision.kind === "skipped" && item.owned.tier === undefined) this.#settleStep.complete(item, decision);
    else assignment.queues.enqueue(queueKeyOf(item.owned, user), item);
  }

  /** Steps 2 to 6, for a head whose queue was taken. */
  process(work: Work): void {
    const settling = this.#settle(work, this.#nextFor(work));
    if (settling === undefined) queueMicrotask(this.#options.onEnded);
    else this.#endAfter(settling);
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

  /** During a hold nobody is to blame for a full memory: then nothing spills. */
  #spill(queue: Work["queue"]): StepResult | undefined {
    return mustSpill(queue) && this.#options.delivery.state === "open" ? { kind: "spill" } : undefined;
  }

  /** Gives each result its effect. */
  #settle(work: Work, result: StepResult): Settling {
    const { assignment, queue } = work;
    switch (result.kind) {
      case "call":
        this.#deliverStep.start(work, result, this.#onVerdict);
        return "calling";
      case "delivered":
        this.#rememberDelivered(queue.head);
        return this.#settleStep.completeHead(work, result);
      case "skipped":
        return this.#settleStep.completeHead(work, result);
      case "retry":
        return this.#settleStep.retry(work, result);
      case "dead":
        return this.#settleStep.deadLetter(work, result);
      case "follow":
        return this.#settleStep.follow(work, result.tier);
      case "spill":
        return this.#settleStep.spill(work);
      case "superseded":
        return this.#settleStep.dropCopies(work);
      case "requeue":
        return assignment.queues.requeue(queue, result.end);
      case "pause":
        return this.#options.startAgainAfter(result.ms, work);
    }
  }

  #rememberDelivered({ owned, parsed }: WorkItem): void {
    const { dedupe, clock } = this.#options;
    dedupe.recordDelivered(owned.partition, parsed.messageId, clock.wallNow());
  }

  /** Undefined: the assignment has ended meanwhile, and the verdict counts for nothing. */
  readonly #onVerdict = (work: Work, result: StepResult | undefined): void => {
    const settling = result && this.#settle(work, result);
    if (settling === undefined) this.#options.onEnded();
    else this.#endAfter(settling);
  };

  #endAfter(settling: Promise<void> | "calling"): void {
    if (settling !== "calling") void settling.then(this.#options.onEnded);
  }

  /** Whether a call to Gainsight is the next thing to do for an event. */
  needsCall(item: WorkItem): boolean {
    return (
      item.parsed.decision.kind === "call" &&
      item.pendingDeadLetter === undefined &&
      checkBacklog(item).kind === "deliver" &&
      !this.#deadLetterGate.refusalOnHold(item)
    );
  }
}
