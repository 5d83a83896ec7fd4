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
  /** Calls in one round: the first attempt and its quick retries. */
  readonly maxQuickAttempts: number;
  readonly random: () => number;
}

/** A call in flight. */
interface StartedCall {
  readonly callNumber: number;
  /** The event's earlier refusals when the call started. */
  readonly refused: RefusalHistory;
}

const quickBackoffBaseMs = 200;
const quickBackoffMaxMs = 5_000;

/**
 * Gainsight's `Retry-After` delays the next quick attempt. After a 503 the gate delays all events, so the event itself does
 * not wait.
 */
const requestedPauseMs = ({ status, retryAfterMs = 0 }: Retry): number => (status === 503 ? 0 : retryAfterMs);

const refusedAloneOutcome = ({ reason, error: refusal, status, retryAfterMs }: Hold): Retry | Dead => {
  const error = `Gainsight refuses only this event and accepts others: ${refusal}`;
  // A rate limit ends after some time. If only one event is refused for its key or address, waiting does not help.
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
 * Whether only this event seems to be throttled: others succeeded in between more than once, and Gainsight asks this event to
 * wait longer than a quick attempt may. The evidence is weak, but a mistake costs only one attempt.
 */
const isThrottledAlone = ({ reason, retryAfterMs = 0 }: Hold, { refusalState }: WorkItem): boolean =>
  reason === "throttled" && retryAfterMs > quickBackoffMaxMs && (refusalState?.rounds ?? 0) > 1;

/** Calls Gainsight for the head of a queue and interprets the verdict. */
export class DeliverStep {
  readonly #options: DeliverStepOptions;
  readonly #refusedAlone = new RefusedAlone();

  constructor(options: DeliverStepOptions) {
    this.#options = options;
  }

  /**
   * Starts the call. `onResult` runs in a later turn of the event loop. Its result is undefined if the assignment has ended
   * meanwhile: then the verdict is ignored.
   */
  start(work: Work, call: Call, onResult: (work: Work, result: StepResult | undefined) => void): void {
    const { head } = work.queue;
    const refused = this.#refusedAlone.refusalHistoryOf(head);
    const callNumber = this.#refusedAlone.beginCall();
    const onVerdict = (verdict: Verdict): void => {
      const isWanted = work.assignment.isCurrentGeneration;
      onResult(work, isWanted ? this.#interpret(verdict, work.queue, { callNumber, refused }) : undefined);
    };
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
    this.#refusedAlone.recordRefusal(head, hold.reason, refused);
    if (this.#refusedAlone.isRefusedAlone(head) || isThrottledAlone(hold, head)) return refusedAloneOutcome(hold);
    // The event goes behind the others, so that another event probes next: this one may be the only one that fails.
    if (this.#options.delivery.isHeld) return { kind: "requeue", end: "back" };
    if (mustSpill(queue)) return { kind: "spill" };
    // This refusal starts no hold, so without a pause the event would be called again at once.
    return { kind: "wait", ms: this.#quickBackoffMs(head.refusalState?.inconclusiveRefusals ?? 0) };
  }

  #onFailure(failure: Retry, queue: Work["queue"]): StepResult {
    const { head } = queue;
    head.quickAttemptsUsed++;
    const requestedMs = requestedPauseMs(failure);
    const isRoundOver = head.quickAttemptsUsed >= this.#options.maxQuickAttempts || requestedMs > quickBackoffMaxMs;
    if (isRoundOver || queue.mustSpill || head.mustSpill) return failure;
    return { kind: "wait", ms: Math.max(requestedMs, this.#quickBackoffMs(head.quickAttemptsUsed - 1)) };
  }

  #quickBackoffMs(attempt: number): number {
    const { random } = this.#options;
    return fullJitter({ attempt, baseMs: quickBackoffBaseMs, maxMs: quickBackoffMaxMs, random: random() });
  }
}
