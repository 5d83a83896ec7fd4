import { equalJitter } from "../core/outcome/backoff.ts";
import type { RefusalHistory } from "../core/outcome/outcome.ts";
import type { GateState, HoldCause, HoldState, Permit, TargetHold } from "./permit.ts";
import { ConsecutiveRefusals } from "./refusals-in-a-row.ts";
import { ConcurrencyLimit } from "./slow-start.ts";

export interface GateOptions {
  readonly concurrency: number;
  /** Per call, from start to the end of the answer. */
  readonly timeoutMs: number;
  /** In milliseconds; a clock that never goes back, or every hold would last longer by as much. */
  readonly monotonicNow: () => number;
  readonly random: () => number;
  /** Calls back after so many milliseconds, never keeping the process alive. */
  readonly schedule: (delayMs: number, callback: () => void) => void;
  /** The gate has opened, or a probe may go. */
  readonly onMaySend: () => void;
  /** A hold began or ended: once per change. */
  readonly onHold: (change: { reason: TargetHold; isHeld: boolean; error: string; heldMs: number }) => void;
}

const firstPauseMs = 1_000;
const longestPauseMs = 60_000;

/** Decides when a call may go: holds, their probes, and how many calls at a time. Synchronous, and told the time. */
export class Gate {
  readonly #options: GateOptions;
  readonly #holds = new Map<TargetHold, HoldState>();
  readonly #concurrencyLimit: ConcurrencyLimit;
  readonly #refusals = new ConsecutiveRefusals();
  #inFlight = 0;
  #closeCount = 0;
  #isProbing = false;
  #probeRequests = 0;

  constructor(options: GateOptions) {
    this.#options = options;
    this.#concurrencyLimit = new ConcurrencyLimit({ max: options.concurrency, timeoutMs: options.timeoutMs });
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /** How many calls may be in flight at present where nothing is held. */
  get concurrencyLimit(): number {
    return this.#concurrencyLimit.limit;
  }

  get isHeld(): boolean {
    return this.#holds.size > 0;
  }

  get holds(): readonly TargetHold[] {
    return [...this.#holds.keys()];
  }

  get state(): GateState {
    if (this.#holds.size === 0) return this.#inFlight < this.#concurrencyLimit.limit ? "open" : "closed";
    return !this.#isProbing && this.#nextProbeAt() <= this.#options.monotonicNow() ? "probe" : "closed";
  }

  /** Takes the right to make a call; only where the state is not `closed`. */
  acquire(): Permit {
    const isProbe = this.#holds.size > 0;
    this.#isProbing ||= isProbe;
    this.#inFlight++;
    return { closeCount: this.#closeCount, isProbe, probeRequests: this.#probeRequests };
  }

  /** The call has ended, however it did. */
  release({ isProbe }: Permit): void {
    this.#inFlight--;
    if (isProbe) this.#isProbing = false;
  }

  /** Whether the gate has closed since this permit was given: what the call found is old news. */
  isStale({ closeCount: generation, isProbe }: Permit): boolean {
    return !isProbe && generation !== this.#closeCount;
  }

  /** A call went well. A probe that did ends every hold but `target_down`, which is the breaker's. */
  recordSuccess(permit: Permit, tookMs: number): void {
    if (this.isStale(permit)) return;
    this.#refusals.recordSuccess();
    this.#concurrencyLimit.recordSuccess(tookMs);
    if (permit.isProbe) this.endHoldsExceptTargetDown();
  }

  /** The target has answered a probe without holding the stream: nobody throttles, refuses the key or redirects any more. */
  endHoldsExceptTargetDown(): void {
    for (const reason of this.holds) if (reason !== "target_down") this.endHold(reason);
  }

  /** A call was refused. While others go through one refusal holds nobody, but whoever throttles is obeyed at once. */
  recordRefusal(reason: TargetHold, cause: HoldCause & { refused: RefusalHistory }): void {
    const isUnconfirmed = reason !== "throttled" && this.#refusals.hasSuccess && !this.isHeld;
    if (this.#isAboutAllEvents(reason, cause)) this.hold(reason, { ...cause, isUnconfirmed });
  }

  #isAboutAllEvents(reason: TargetHold, { permit, refused }: { permit: Permit; refused: RefusalHistory }): boolean {
    if (permit.isProbe) return true;
    if (reason === "throttled" || this.isHeld) return refused === "never" || refused === "before";
    // What was asked before the gate closed, or with a key that has been replaced, says nothing of what is now.
    const isStale = permit.probeRequests !== this.#probeRequests || this.isStale(permit);
    return !isStale && this.#refusals.addRefusal({ refused, otherCallsInFlight: this.#inFlight });
  }

  /** Begins a hold, or prolongs it after a failed probe. `retryAfterMs` is what the target asked for. */
  hold(reason: TargetHold, cause: HoldCause): void {
    const current = this.#holds.get(reason);
    if (!current) this.#beginHold(reason, cause);
    else if (cause.permit.isProbe) this.#prolongHold(reason, current, cause);
    // Calls that were in flight when the hold began say the same again: only a longer wait counts.
    else
      this.#setHold(
        reason,
        { ...current, nextProbeAt: Math.max(current.nextProbeAt, this.#retryAfterAt(cause)) },
        cause.error,
      );
  }

  readonly #retryAfterAt = ({ retryAfterMs = 0 }: HoldCause): number => this.#options.monotonicNow() + retryAfterMs;

  #beginHold(reason: TargetHold, cause: HoldCause): void {
    const { isUnconfirmed = false, permit, error } = cause;
    // What was asked before the gate closed may still hold the stream, but says nothing of how wide it stands now.
    if (!this.isHeld && !isUnconfirmed && !this.isStale(permit)) this.#reduceConcurrency(reason);
    const now = this.#options.monotonicNow();
    const nextProbeAt = isUnconfirmed ? now : now + this.#probePauseMs(reason, cause, 0);
    this.#setHold(reason, { isUnconfirmed, heldSince: now, failedProbes: 0, nextProbeAt }, error);
  }

  #prolongHold(reason: TargetHold, current: HoldState, cause: HoldCause): void {
    if (current.isUnconfirmed) this.#reduceConcurrency(reason);
    const failedProbes = current.isUnconfirmed ? 0 : current.failedProbes + 1;
    const nextProbeAt = this.#options.monotonicNow() + this.#probePauseMs(reason, cause, failedProbes);
    this.#setHold(
      reason,
      { isUnconfirmed: false, heldSince: current.heldSince, failedProbes, nextProbeAt },
      cause.error,
    );
  }

  /** A probe has failed by the target's fault: the holds that are not the breaker's wait as after any failed probe. */
  prolongHolds(permit: Permit, error: string): void {
    for (const reason of this.holds) if (reason !== "target_down") this.hold(reason, { permit, error });
  }

  #probePauseMs(reason: TargetHold, { permit, retryAfterMs }: HoldCause, failedProbes: number): number {
    // The probe had the old key.
    if (reason === "unauthorized" && failedProbes > 0 && permit.probeRequests !== this.#probeRequests) return 0;
    const random = this.#options.random();
    return retryAfterMs ?? equalJitter({ attempt: failedProbes, baseMs: firstPauseMs, maxMs: longestPauseMs, random });
  }

  /** The breaker has opened: no call until `probeNow("target_down")`. */
  holdWhileBreakerIsOpen(error: string): void {
    if (!this.isHeld) this.#reduceConcurrency("target_down");
    const heldSince = this.#holds.get("target_down")?.heldSince ?? this.#options.monotonicNow();
    this.#setHold(
      "target_down",
      { isUnconfirmed: false, heldSince, failedProbes: 0, nextProbeAt: Number.POSITIVE_INFINITY },
      error,
    );
  }

  /** Something has changed that may end this hold: let a probe go at once. */
  probeNow(reason: TargetHold): void {
    this.#probeRequests++;
    const current = this.#holds.get(reason);
    if (!current) return;
    this.#holds.set(reason, { ...current, nextProbeAt: this.#options.monotonicNow() });
    this.#options.onMaySend();
  }

  endHold(reason: TargetHold): void {
    const current = this.#holds.get(reason);
    if (!this.#holds.delete(reason) || !current) return;
    this.#options.onHold({
      reason,
      isHeld: false,
      error: "",
      heldMs: this.#options.monotonicNow() - current.heldSince,
    });
    if (this.#holds.size === 0) this.#options.onMaySend();
  }

  #reduceConcurrency(reason: TargetHold): void {
    if (reason === "throttled") this.#concurrencyLimit.restartAfterThrottling();
    else this.#concurrencyLimit.restartAfterOutage();
  }

  #nextProbeAt(): number {
    return Math.max(...Array.from(this.#holds.values(), ({ nextProbeAt }) => nextProbeAt));
  }

  #setHold(reason: TargetHold, state: HoldState, error: string): void {
    if (!this.isHeld) {
      this.#closeCount++;
      this.#refusals.reset();
    }
    const isNew = !this.#holds.has(reason);
    this.#holds.set(reason, state);
    if (isNew) this.#options.onHold({ reason, isHeld: true, error, heldMs: 0 });
    this.#notifyAt(state.nextProbeAt);
  }

  /** Timers may fire before their time by the clock: a probe must not be missed. */
  #notifyAt(time: number): void {
    const waitMs = time - this.#options.monotonicNow();
    if (!Number.isFinite(waitMs)) return;
    this.#options.schedule(waitMs, () => {
      if (this.#options.monotonicNow() < time) this.#notifyAt(time);
      else this.#options.onMaySend();
    });
  }
}
