import type { Call } from "../core/decide.ts";
import { fullJitter } from "../core/outcome/backoff.ts";
import { type Dead, type Hold, type RefusalHistory, type Retry, type Verdict, dead } from "../core/outcome/outcome.ts";
import { mustSpill } from "./hot-keys.ts";
import type { DeliveryPort } from "./ports.ts";
import { RefusedAlone, isRefusalHold } from "./refused-alone.ts";
import type { StepResult, Work } from "./step.ts";
import type { WorkItem } from "./work-item.ts";

export interface DeliverStepOptions {
  readonly delivery: DeliveryPort;
  /** Calls in one round: the first and its quick repetitions. */
  readonly maxQuickAttempts: number;
  readonly random: () => number;
}

/** A call that was made. */
interface StartedCall {
  readonly callNumber: number;
  /** What was known of the event's refusals when the call began. */
  readonly refused: RefusalHistory;
}

const quickBackoffBaseMs = 200;
const quickBackoffMaxMs = 5_000;

/** No quick attempt comes before the time that the target asked for. With 503 the gate waits, for all events. */
const requestedPauseMs = ({ status, retryAfterMs = 0 }: Retry): number => (status === 503 ? 0 : retryAfterMs);

const refusedAloneOutcome = ({ reason, error: refusal, status, retryAfterMs }: Hold): Retry | Dead => {
  const error = `Only this event is refused, others go through: ${refusal}`;
  // A limit may end, and then its event may go. Nothing ends the refusal of a single event by its key or its address.
  if (reason !== "throttled") return dead("rejected", error, status);
  return {
    kind: "retry",
    reason: "throttled",
    error,
    ...(status !== undefined && { status }),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  };
};

/**
 * Others have gone through more than once, and only this event is asked to wait for longer than its queue may stand still. That
 * is little evidence, but all that it costs is an attempt.
 */
const isThrottledAlone = ({ reason, retryAfterMs = 0 }: Hold, { refusalState }: WorkItem): boolean =>
  reason === "throttled" && retryAfterMs > quickBackoffMaxMs && (refusalState?.rounds ?? 0) > 1;

/** Makes the call of a head, and says what the verdict means for it. */
export class DeliverStep {
  readonly #options: DeliverStepOptions;
  readonly #refusedAlone = new RefusedAlone();

  constructor(options: DeliverStepOptions) {
    this.#options = options;
  }

  /** `onResult` comes in a turn of its own; with undefined if the assignment has ended meanwhile and the verdict counts for nothing. */
  start(work: Work, call: Call, onResult: (work: Work, result: StepResult | undefined) => void): void {
    const { head } = work.queue;
    const refused = this.#refusedAlone.refusalHistoryOf(head);
    const startedCall: StartedCall = { callNumber: this.#refusedAlone.beginCall(), refused };
    const onVerdict = (verdict: Verdict): void =>
      onResult(
        work,
        work.assignment.isCurrentGeneration ? this.#interpret(verdict, work.queue, startedCall) : undefined,
      );
    this.#options.delivery.attempt(call, { isFirst: head.quickAttemptsUsed === 0, refusalHistory: refused }, onVerdict);
  }

  #interpret(verdict: Verdict, queue: Work["queue"], { callNumber, refused }: StartedCall): StepResult {
    switch (verdict.kind) {
      case "delivered":
        this.#refusedAlone.recordSuccess(queue.head, callNumber);
        return verdict;
      case "dead":
        return verdict;
      case "hold":
        return this.#onHold(verdict, queue, refused);
      case "retry":
        return this.#onFailure(verdict, queue);
      case "aborted":
        return { kind: "requeue", end: "front" };
    }
  }

  #onHold(hold: Hold, queue: Work["queue"], refused: RefusalHistory): StepResult {
    const { head } = queue;
    head.wasHeld = true;
    if (!isRefusalHold(hold)) return { kind: "requeue", end: "back" };
    if (this.#refusedAlone.recordRefusal(head, hold.reason, refused) || isThrottledAlone(hold, head))
      return refusedAloneOutcome(hold);
    // Behind the others: the next probe is to be another event, for this one may be the only one that fails.
    if (this.#options.delivery.isHeld) return { kind: "requeue", end: "back" };
    if (mustSpill(queue)) return { kind: "spill" };
    // The refusal holds nobody, so nothing but its own pause keeps the event from being called again at once.
    return { kind: "pause", ms: this.#quickBackoffMs(head.refusalState?.inconclusiveRefusals ?? 0) };
  }

  #onFailure(failure: Retry, queue: Work["queue"]): StepResult {
    const { head } = queue;
    head.quickAttemptsUsed++;
    const requestedMs = requestedPauseMs(failure);
    const isRoundOver = head.quickAttemptsUsed >= this.#options.maxQuickAttempts || requestedMs > quickBackoffMaxMs;
    if (isRoundOver || queue.mustSpill || head.mustSpill) return failure;
    return { kind: "pause", ms: Math.max(requestedMs, this.#quickBackoffMs(head.quickAttemptsUsed - 1)) };
  }

  #quickBackoffMs(attempt: number): number {
    const { random } = this.#options;
    return fullJitter({ attempt, baseMs: quickBackoffBaseMs, maxMs: quickBackoffMaxMs, random: random() });
  }
}
