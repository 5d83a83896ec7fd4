import type { Call } from "../core/decide.ts";
import { fullJitter } from "../core/outcome/backoff.ts";
import {
  type Dead,
  type Delivered,
  type Hold,
  type RefusalHistory,
  type Retry,
  type Verdict,
  dead,
  skipped,
} from "../core/outcome/outcome.ts";
import type { Dedupe } from "../limits/dedupe.ts";
import type { KeyQueue } from "../ordering/key-queues.ts";
import type { Clock, DeliveryPort } from "./ports.ts";
import { RefusedAlone, isRefusalHold } from "./refused-alone.ts";
import type { SettleStep } from "./settle-step.ts";
import type { Assignment, WorkItem } from "./work-item.ts";

export interface DeliverStepOptions {
  readonly delivery: DeliveryPort;
  readonly clock: Clock;
  readonly dedupe: Dedupe;
  /** Calls in one round. */
  readonly maxQuickAttempts: number;
}

/** What a lane's head waits for; `calling`: a call, which tells by itself when all is over. */
export type StepCompletion = Promise<void> | "calling" | void;

/** A call that was made. */
interface StartedCall {
  readonly callNumber: number;
  /** How its event had fared when it began. */
  readonly refused: RefusalHistory;
}

interface DeliverStepParts {
  readonly settleStep: SettleStep;
  /** A call, and what its verdict asked for, is over. */
  readonly onCallEnded: (settlement: Promise<void> | void) => void;
  /** Lets a taken lane start again after a pause. */
  readonly restartAfter: (assignment: Assignment, queue: KeyQueue<WorkItem>, delayMs: number) => void;
}

const quickBackoffBaseMs = 200;
const quickBackoffMaxMs = 5_000;

/** No quick attempt comes before the time that the target asked for; with 503 it is the gate that waits, for all. */
const requestedPauseMs = ({ status, retryAfterMs = 0 }: Retry): number => (status === 503 ? 0 : retryAfterMs);

/** What becomes of an event that alone is refused. */
const refusedAloneOutcome = ({ reason, error: refusal, status, retryAfterMs }: Hold): Retry | Dead => {
  const error = `Only this event is refused, others go through: ${refusal}`;
  if (reason !== "throttled") return dead("rejected", error, status);
  const answerDetails = {
    ...(status !== undefined && { status }),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  };
  return { kind: "retry", reason: "throttled", error, ...answerDetails };
};

/**
 * Others have gone through more than once, and this one alone is asked to wait for longer than its queue may stand still. That
 * is little evidence, but all that it costs is an attempt.
 */
const isThrottledAlone = ({ reason, retryAfterMs = 0 }: Hold, { refusalState }: WorkItem): boolean =>
  reason === "throttled" && retryAfterMs > quickBackoffMaxMs && (refusalState?.rounds ?? 0) > 1;

/** Calls to Gainsight, and what their verdicts mean for the lane that they came from. */
export class DeliverStep {
  readonly #options: DeliverStepOptions;
  readonly #parts: DeliverStepParts;
  readonly #refusedAlone = new RefusedAlone();

  constructor(options: DeliverStepOptions, parts: DeliverStepParts) {
    this.#options = options;
    this.#parts = parts;
  }

  /** Makes the call of a lane's head, unless its verdict is known already, it was delivered before, or its user has to make way. */
  deliver(assignment: Assignment, queue: KeyQueue<WorkItem>, call: Call): StepCompletion {
    const { pendingDeadLetter: verdict, owned, mustSpill, parsed } = queue.head;
    if (verdict) return this.#parts.settleStep.deadLetter(assignment, queue, verdict);
    const { dedupe, clock } = this.#options;
    if (dedupe.isDuplicate(owned.partition, parsed.messageId, clock.wallNow))
      return this.#parts.settleStep.completeHead(assignment, queue, skipped("duplicate"));
    const refusal = this.#parts.settleStep.refusalOnHold(queue.head);
    if (refusal) return this.#parts.settleStep.deadLetter(assignment, queue, refusal);
    const isOpen = this.#options.delivery.state === "open";
    if ((queue.mustSpill || mustSpill) && owned.tier === undefined && isOpen)
      return this.#parts.settleStep.spill(assignment, queue);
    return this.#startCall(assignment, queue, call);
  }

  #startCall(assignment: Assignment, queue: KeyQueue<WorkItem>, call: Call): "calling" {
    const isFirst = queue.head.quickAttemptsUsed === 0;
    const refused = this.#refusedAlone.refusalHistoryOf(queue.head);
    const callNumber = this.#refusedAlone.beginCall();
    this.#options.delivery.attempt(call, { isFirst, refusalHistory: refused }, (verdict) =>
      this.#parts.onCallEnded(this.#applyVerdict(assignment, queue, { verdict, callNumber, refused })),
    );
    return "calling";
  }

  #applyVerdict(
    assignment: Assignment,
    queue: KeyQueue<WorkItem>,
    { verdict, callNumber, refused }: { verdict: Verdict } & StartedCall,
  ): Promise<void> | void {
    if (!assignment.isCurrentGeneration) return undefined;
    switch (verdict.kind) {
      case "delivered":
        this.#refusedAlone.recordSuccess(queue.head, callNumber);
        return this.#onDelivered(assignment, queue, verdict);
      case "dead":
        return this.#parts.settleStep.deadLetter(assignment, queue, verdict);
      case "hold":
        return this.#onHold(assignment, queue, { hold: verdict, refused });
      case "retry":
        return this.#onFailure(assignment, queue, verdict);
      case "aborted":
        return assignment.queues.requeue(queue, "front");
    }
  }

  #onDelivered(assignment: Assignment, queue: KeyQueue<WorkItem>, verdict: Delivered): void {
    const { owned, parsed } = queue.head;
    const { dedupe, clock } = this.#options;
    dedupe.recordDelivered(owned.partition, parsed.messageId, clock.wallNow());
    this.#parts.settleStep.completeHead(assignment, queue, verdict);
  }

  async #onHold(
    assignment: Assignment,
    queue: KeyQueue<WorkItem>,
    { hold, refused }: { hold: Hold; refused: RefusalHistory },
  ): Promise<void> {
    const item = queue.head;
    item.wasHeld = true;
    if (!isRefusalHold(hold)) return assignment.queues.requeue(queue, "back");
    if (this.#refusedAlone.recordRefusal(item, hold.reason, refused) || isThrottledAlone(hold, item))
      return this.#settleRefusedAlone(assignment, queue, hold);
    // Behind the others: the next probe is to be another event, for this one may be the only one that fails.
    if (this.#options.delivery.isHeld) return assignment.queues.requeue(queue, "back");
    return this.#repeatCall(assignment, queue);
  }

  /** Refused, it holds nobody, so nothing but its own pause keeps it from being called again at once. */
  async #repeatCall(assignment: Assignment, queue: KeyQueue<WorkItem>): Promise<void> {
    const { owned, mustSpill, refusalState } = queue.head;
    if ((queue.mustSpill || mustSpill) && owned.tier === undefined)
      return this.#parts.settleStep.spill(assignment, queue);
    return this.#parts.restartAfter(assignment, queue, this.#quickBackoffMs(refusalState?.inconclusiveRefusals ?? 0));
  }

  /** A limit may end, and then its event will do; nothing ends the refusal of a single event by its key or its address. */
  #settleRefusedAlone(assignment: Assignment, queue: KeyQueue<WorkItem>, hold: Hold): Promise<void> {
    const outcome = refusedAloneOutcome(hold);
    return outcome.kind === "retry"
      ? this.#parts.settleStep.retry(assignment, queue, outcome)
      : this.#parts.settleStep.deadLetter(assignment, queue, outcome);
  }

  #quickBackoffMs(attempt: number): number {
    return fullJitter({
      attempt,
      baseMs: quickBackoffBaseMs,
      maxMs: quickBackoffMaxMs,
      random: this.#options.clock.random(),
    });
  }

  async #onFailure(assignment: Assignment, queue: KeyQueue<WorkItem>, failure: Retry): Promise<void> {
    const item = queue.head;
    item.quickAttemptsUsed++;
    const requestedMs = requestedPauseMs(failure);
    const isRoundOver = item.quickAttemptsUsed >= this.#options.maxQuickAttempts || requestedMs > quickBackoffMaxMs;
    if (isRoundOver || queue.mustSpill || item.mustSpill)
      return this.#parts.settleStep.retry(assignment, queue, failure);
    this.#parts.restartAfter(
      assignment,
      queue,
      Math.max(requestedMs, this.#quickBackoffMs(item.quickAttemptsUsed - 1)),
    );
  }
}
