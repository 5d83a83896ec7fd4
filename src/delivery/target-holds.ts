import { equalJitter } from "../core/outcome/backoff.ts";
import type { TargetHoldReason } from "../core/outcome/outcome.ts";
import type { HoldCause, TargetHoldChange } from "./gate-types.ts";

export interface TargetHoldsOptions {
  /** In milliseconds. The clock must be monotonic: a wall clock that is set back would prolong every hold. */
  readonly monotonicNow: () => number;
  /** From 0 up to, but not including, 1. */
  readonly random: () => number;
  /** Calls back after `delayMs`. The timer must not keep the process alive. */
  readonly schedule: (delayMs: number, callback: () => void) => void;
  /** The last hold has ended, or a probe may start. */
  readonly onMaySend: () => void;
  /** A hold began or ended: once per change. */
  readonly onHold: (change: TargetHoldChange) => void;
}

interface HoldState {
  readonly isUnconfirmed: boolean;
  readonly heldSince: number;
  readonly failedProbes: number;
  /** When the next probe may start; infinite while the breaker is open. */
  readonly nextProbeAt: number;
}

const firstPauseMs = 1_000;
const longestPauseMs = 60_000;

/** The reasons why the target takes no calls now, each with the time of its next probe. */
export class TargetHolds {
  readonly #options: TargetHoldsOptions;
  readonly #holds = new Map<TargetHoldReason, HoldState>();
  #probeRequests = 0;

  constructor(options: TargetHoldsOptions) {
    this.#options = options;
  }

  get isEmpty(): boolean {
    return this.#holds.size === 0;
  }

  get reasons(): readonly TargetHoldReason[] {
    return [...this.#holds.keys()];
  }

  /** How often `probeNow` was called. */
  get probeRequests(): number {
    return this.#probeRequests;
  }

  /** Every hold has waited long enough. */
  get isProbeDue(): boolean {
    const nextProbeAt = Math.max(...Array.from(this.#holds.values(), (hold) => hold.nextProbeAt));
    return nextProbeAt <= this.#options.monotonicNow();
  }

  isUnconfirmed(reason: TargetHoldReason): boolean {
    return this.#holds.get(reason)?.isUnconfirmed === true;
  }

  /** A call has found a reason to hold: begins the hold, or prolongs it. */
  record(reason: TargetHoldReason, cause: HoldCause): void {
    const current = this.#holds.get(reason);
    if (!current) this.#begin(reason, cause);
    else if (cause.permit.isProbe) this.#prolong(reason, current, cause);
    else this.#extend(reason, current, cause);
  }

  /** The breaker is open: no probe starts before `probeNow("target_down")`. */
  holdWhileBreakerIsOpen(error: string): void {
    const heldSince = this.#holds.get("target_down")?.heldSince ?? this.#options.monotonicNow();
    const nextProbeAt = Number.POSITIVE_INFINITY;
    this.#set("target_down", { isUnconfirmed: false, heldSince, failedProbes: 0, nextProbeAt }, error);
  }

  /** The cause of this hold may be gone: the next probe may start at once. */
  probeNow(reason: TargetHoldReason): void {
    this.#probeRequests++;
    const current = this.#holds.get(reason);
    if (!current) return;
    this.#holds.set(reason, { ...current, nextProbeAt: this.#options.monotonicNow() });
    this.#options.onMaySend();
  }

  end(reason: TargetHoldReason): void {
    const { onHold, onMaySend, monotonicNow } = this.#options;
    const current = this.#holds.get(reason);
    if (!current) return;
    this.#holds.delete(reason);
    onHold({ reason, isHeld: false, error: "", heldMs: monotonicNow() - current.heldSince });
    if (this.isEmpty) onMaySend();
  }

  #begin(reason: TargetHoldReason, cause: HoldCause): void {
    const { isUnconfirmed = false, error } = cause;
    const now = this.#options.monotonicNow();
    const nextProbeAt = isUnconfirmed ? now : now + this.#probePauseMs(reason, cause, 0);
    this.#set(reason, { isUnconfirmed, heldSince: now, failedProbes: 0, nextProbeAt }, error);
  }

  /** A probe has failed. */
  #prolong(reason: TargetHoldReason, { isUnconfirmed, heldSince, failedProbes: before }: HoldState, cause: HoldCause) {
    const failedProbes = isUnconfirmed ? 0 : before + 1;
    const nextProbeAt = this.#options.monotonicNow() + this.#probePauseMs(reason, cause, failedProbes);
    this.#set(reason, { isUnconfirmed: false, heldSince, failedProbes, nextProbeAt }, cause.error);
  }

  /** A call that was in flight when the hold began says the same again: only a longer wait counts. */
  #extend(reason: TargetHoldReason, current: HoldState, { retryAfterMs = 0, error }: HoldCause): void {
    const nextProbeAt = Math.max(current.nextProbeAt, this.#options.monotonicNow() + retryAfterMs);
    this.#set(reason, { ...current, nextProbeAt }, error);
  }

  #probePauseMs(reason: TargetHoldReason, { permit, retryAfterMs }: HoldCause, failedProbes: number): number {
    // The probe carried the old access key, and a new one is there.
    if (reason === "unauthorized" && failedProbes > 0 && permit.probeRequests !== this.#probeRequests) return 0;
    const random = this.#options.random();
    return retryAfterMs ?? equalJitter({ attempt: failedProbes, baseMs: firstPauseMs, maxMs: longestPauseMs, random });
  }

  #set(reason: TargetHoldReason, state: HoldState, error: string): void {
    const isNew = !this.#holds.has(reason);
    this.#holds.set(reason, state);
    if (isNew) this.#options.onHold({ reason, isHeld: true, error, heldMs: 0 });
    this.#notifyAt(state.nextProbeAt);
  }

  /** A timer may fire early by this clock. Then it is set again, or nobody would start the probe. */
  #notifyAt(time: number): void {
    const { monotonicNow, schedule, onMaySend } = this.#options;
    const waitMs = time - monotonicNow();
    if (!Number.isFinite(waitMs)) return;
    schedule(waitMs, () => {
      if (monotonicNow() < time) this.#notifyAt(time);
      else onMaySend();
    });
  }
}
