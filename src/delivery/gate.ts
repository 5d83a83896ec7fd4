import type { RefusalHistory, TargetHoldReason } from "../core/outcome/outcome.ts";
import { ConcurrencyLimit } from "./concurrency-limit.ts";
import { ConsecutiveRefusals, isOfOneEvent } from "./consecutive-refusals.ts";
import type { GateState, HoldCause, Permit } from "./gate-types.ts";
import { TargetHolds, type TargetHoldsOptions } from "./target-holds.ts";

export interface GateOptions extends TargetHoldsOptions {
  /** The highest number of calls in flight. */
  readonly concurrency: number;
  /** Per call, from its start to the end of the response. */
  readonly timeoutMs: number;
}

/** A call was refused by a response that may hold the stream. */
export interface RefusedCall extends HoldCause {
  readonly refusalHistory: RefusalHistory;
}

/** Decides when a call may start: by the target's holds, by their probes and by the concurrency limit. Everything is synchronous. */
export class Gate {
  readonly #holds: TargetHolds;
  readonly #concurrencyLimit: ConcurrencyLimit;
  readonly #refusals = new ConsecutiveRefusals();
  #inFlight = 0;
  #closeCount = 0;
  #isProbing = false;

  constructor(options: GateOptions) {
    this.#holds = new TargetHolds(options);
    this.#concurrencyLimit = new ConcurrencyLimit({ max: options.concurrency, timeoutMs: options.timeoutMs });
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /** How many calls may be in flight now if nothing is held. */
  get concurrencyLimit(): number {
    return this.#concurrencyLimit.limit;
  }

  get isHeld(): boolean {
    return !this.#holds.isEmpty;
  }

  get holds(): readonly TargetHoldReason[] {
    return this.#holds.reasons;
  }

  get state(): GateState {
    if (!this.isHeld) return this.#inFlight < this.#concurrencyLimit.limit ? "open" : "closed";
    return !this.#isProbing && this.#holds.isProbeDue ? "probe" : "closed";
  }

  /** Takes the right to make a call. Only while `state` is not `closed`. */
  acquire(): Permit {
    const isProbe = this.isHeld;
    this.#isProbing ||= isProbe;
    this.#inFlight++;
    return { closeCount: this.#closeCount, isProbe, probeRequests: this.#holds.probeRequests };
  }

  /** The call has ended, with any result. */
  release({ isProbe }: Permit): void {
    this.#inFlight--;
    if (isProbe) this.#isProbing = false;
  }

  /** The gate has closed since this permit was given: the result of its call says nothing about the present. */
  isStale({ closeCount, isProbe }: Permit): boolean {
    return !isProbe && closeCount !== this.#closeCount;
  }

  /** A call succeeded. A successful probe ends every hold but `target_down`, which the breaker ends. */
  recordSuccess(permit: Permit, tookMs: number): void {
    if (this.isStale(permit)) return;
    this.#refusals.recordSuccess();
    this.#concurrencyLimit.recordSuccess(tookMs);
    if (permit.isProbe) this.endHoldsExceptTargetDown();
  }

  /** The target took a probe: it does not throttle, refuse the access key or redirect any more. */
  endHoldsExceptTargetDown(): void {
    for (const reason of this.holds) if (reason !== "target_down") this.endHold(reason);
  }

  /** A probe failed by the target's fault: every other hold waits as after its own failed probe. */
  prolongHoldsExceptTargetDown(permit: Permit, error: string): void {
    for (const reason of this.holds) if (reason !== "target_down") this.hold(reason, { permit, error });
  }

  /** A call was refused. One refusal among successes holds nothing, but a throttling target is obeyed at once. */
  recordRefusal(reason: TargetHoldReason, refused: RefusedCall): void {
    const isUnconfirmed = reason !== "throttled" && this.#refusals.hasSuccess && !this.isHeld;
    if (this.#countsAsConsecutive(reason, refused.permit)) this.#refusals.recordRefusal(refused.refusalHistory);
    if (this.#concernsAllEvents(reason, refused)) this.hold(reason, { ...refused, isUnconfirmed });
  }

  /** Not if the call was sent before the gate closed or with an access key that has been replaced: it says nothing about the present. */
  #countsAsConsecutive(reason: TargetHoldReason, permit: Permit): boolean {
    if (permit.isProbe || reason === "throttled" || this.isHeld) return false;
    return permit.probeRequests === this.#holds.probeRequests && !this.isStale(permit);
  }

  #concernsAllEvents(reason: TargetHoldReason, { permit, refusalHistory }: RefusedCall): boolean {
    if (permit.isProbe) return true;
    if (isOfOneEvent(refusalHistory)) return false;
    if (reason === "throttled" || this.isHeld) return true;
    return this.#countsAsConsecutive(reason, permit) && (this.#inFlight === 0 || this.#refusals.isLongSeries);
  }

  /** Begins a hold, or prolongs it after a failed probe. */
  hold(reason: TargetHoldReason, cause: HoldCause): void {
    if (this.#mustReduceConcurrency(reason, cause)) this.#reduceConcurrency(reason);
    this.#close();
    this.#holds.record(reason, cause);
  }

  /** The breaker has opened: no call starts before `probeNow("target_down")`. */
  holdWhileBreakerIsOpen(error: string): void {
    if (!this.isHeld) this.#reduceConcurrency("target_down");
    this.#close();
    this.#holds.holdWhileBreakerIsOpen(error);
  }

  /** The cause of this hold may be gone: the next probe may start at once. */
  probeNow(reason: TargetHoldReason): void {
    this.#holds.probeNow(reason);
  }

  endHold(reason: TargetHoldReason): void {
    this.#holds.end(reason);
  }

  /** A stale call may still begin a hold, but says nothing about how many calls the target bears now. */
  #mustReduceConcurrency(reason: TargetHoldReason, { permit, isUnconfirmed = false }: HoldCause): boolean {
    if (this.#holds.isUnconfirmed(reason)) return permit.isProbe;
    return !this.isHeld && !isUnconfirmed && !this.isStale(permit);
  }

  #reduceConcurrency(reason: TargetHoldReason): void {
    if (reason === "throttled") this.#concurrencyLimit.restartAfterThrottling();
    else this.#concurrencyLimit.restartAfterOutage();
  }

  #close(): void {
    if (this.isHeld) return;
    this.#closeCount++;
    this.#refusals.reset();
  }
}
