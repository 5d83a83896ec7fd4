import { isTargetFailure } from "../core/outcome/classify.ts";
import type { Hold, RefusalHistory, Retry, TargetHoldReason, Verdict } from "../core/outcome/outcome.ts";
import { type Breaker, type BreakerState, createBreaker } from "./breaker.ts";
import type { GateState, Permit } from "./gate-types.ts";
import { Gate, type GateOptions } from "./gate.ts";
import { nextProbePauseMs } from "./probe-pause.ts";

export interface TargetHealthOptions extends GateOptions {
  readonly breaker: {
    readonly errorPercent: number;
    readonly minCalls: number;
    readonly windowMs: number;
    readonly probeMinMs: number;
    readonly probeMaxMs: number;
  };
  /** The target refuses the access key: read it again. */
  readonly onUnauthorized: () => void;
}

/** What the health of the target is judged by, besides the verdict. */
export interface EndedCall {
  readonly permit: Permit;
  readonly tookMs: number;
  /** False for the repetitions of one round: together they count once for the breaker. */
  readonly isFirst: boolean;
  readonly refusalHistory: RefusalHistory;
}

/** A call that takes more than this share of the time-out counts as slow: a little more load, and calls time out. */
const slowCallShare = 0.8;

const targetDownHold = ({ error }: Retry): Hold => ({ kind: "hold", reason: "target_down", error });

/** Whether the target can take calls: the gate and the breaker, both fed with the verdict of every call. */
export class TargetHealth {
  readonly #options: TargetHealthOptions;
  readonly #gate: Gate;
  readonly #breaker: Breaker;
  readonly #slowCallMs: number;
  /** The error of the last failure, for the hold that follows if the breaker opens. */
  #lastError = "";

  constructor(options: TargetHealthOptions) {
    this.#options = options;
    this.#gate = new Gate(options);
    this.#slowCallMs = Math.round(options.timeoutMs * slowCallShare);
    const { errorPercent, minCalls, windowMs } = options.breaker;
    const probePauseMs = (failedProbes: number, downMs: number): number =>
      nextProbePauseMs({ ...options.breaker, failedProbes, downMs, random: options.random() });
    const onChange = (state: BreakerState): void => this.#onBreakerChange(state);
    this.#breaker = createBreaker({ errorPercent, minCalls, windowMs, probePauseMs, onChange });
  }

  get state(): GateState {
    return this.#gate.state;
  }

  get isHeld(): boolean {
    return this.#gate.isHeld;
  }

  get holds(): readonly TargetHoldReason[] {
    return this.#gate.holds;
  }

  get breakerState(): BreakerState {
    return this.#breaker.state;
  }

  get concurrencyLimit(): number {
    return this.#gate.concurrencyLimit;
  }

  get inFlight(): number {
    return this.#gate.inFlight;
  }

  /** Starts a call. Only while `state` is not `closed`. */
  startCall(): Permit {
    return this.#gate.acquire();
  }

  /**
   * Ends a call. Returns its verdict, which may become a hold. Returns a promise if the verdict must wait until the breaker
   * has changed its state.
   */
  endCall(verdict: Verdict, call: EndedCall): Verdict | Promise<Verdict> {
    this.#gate.release(call.permit);
    switch (verdict.kind) {
      case "delivered":
        return this.#onDelivered(verdict, call);
      case "hold":
        this.#onHold(verdict, call);
        return verdict;
      case "retry":
        if (isTargetFailure(verdict)) return this.#onFailure(verdict, call);
        this.#onEventRefused(call);
        return verdict;
      case "dead":
        this.#onEventRefused(call);
        return verdict;
      case "aborted":
        return verdict;
    }
  }

  /** A new access key is in place. */
  probeWithNewKey(): void {
    this.#gate.probeNow("unauthorized");
  }

  close(): void {
    this.#breaker.shutdown();
  }

  #onDelivered(verdict: Verdict, { permit, tookMs }: EndedCall): Verdict | Promise<Verdict> {
    if (this.#gate.isStale(permit)) return verdict;
    const recorded = tookMs > this.#slowCallMs ? this.#onSlow(permit, tookMs) : this.#onFast(permit, tookMs);
    return recorded ? recorded.then(() => verdict) : verdict;
  }

  #onFast(permit: Permit, tookMs: number): Promise<void> | undefined {
    const recorded = this.#breaker.recordSuccess();
    this.#gate.recordSuccess(permit, tookMs);
    // Only a successful probe changes the breaker's state. No other success waits for opossum.
    return permit.isProbe ? recorded : undefined;
  }

  /** The event is delivered all the same. */
  #onSlow(permit: Permit, tookMs: number): Promise<void> {
    this.#lastError = `Calls take longer than ${this.#slowCallMs} ms`;
    if (permit.isProbe) this.#gate.endHoldsExceptTargetDown();
    else this.#gate.recordSuccess(permit, tookMs);
    return this.#breaker.recordSlowCall();
  }

  #onHold({ reason, error, retryAfterMs }: Hold, { permit, refusalHistory }: EndedCall): void {
    this.#gate.recordRefusal(reason, { permit, error, retryAfterMs, refusalHistory });
    if (reason === "unauthorized") this.#options.onUnauthorized();
  }

  async #onFailure(failure: Retry, { permit, isFirst }: EndedCall): Promise<Verdict> {
    if (!this.#gate.isStale(permit)) {
      this.#lastError = failure.error;
      if (permit.isProbe) this.#gate.prolongHoldsExceptTargetDown(permit, failure.error);
      if (isFirst || permit.isProbe) await this.#breaker.recordFailure();
    }
    const { status, retryAfterMs, error } = failure;
    if (status === 503 && retryAfterMs !== undefined) this.#gate.hold("throttled", { permit, error, retryAfterMs });
    // A hold by `throttled` alone uses the attempt, or an event that always gets this response would hold the stream for ever.
    return this.#breaker.state === "closed" ? failure : targetDownHold(failure);
  }

  /** The target works and refuses only this event. That holds nothing, and says nothing about the breaker's state either. */
  #onEventRefused({ permit }: EndedCall): void {
    if (!permit.isProbe) return;
    this.#gate.endHoldsExceptTargetDown();
    this.#gate.probeNow("target_down");
  }

  #onBreakerChange(state: BreakerState): void {
    if (state === "open") this.#gate.holdWhileBreakerIsOpen(this.#lastError);
    if (state === "half-open") this.#gate.probeNow("target_down");
    if (state === "closed") this.#gate.endHold("target_down");
  }
}
