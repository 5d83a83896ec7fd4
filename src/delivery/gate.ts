import { equalJitter } from "../core/outcome/backoff.ts";
import type { Refused } from "../core/outcome/outcome.ts";
import type { GateState, HoldCause, HoldState, Permit, TargetHold } from "./permit.ts";
import { RefusalRow } from "./refusals-in-a-row.ts";
import { Ramp } from "./slow-start.ts";

export interface GateOptions {
  readonly concurrency: number;
  /** Per call, from start to the end of the answer. */
  readonly timeoutMs: number;
  /** In milliseconds; a clock that never goes back, or every hold would last longer by as much. */
  readonly now: () => number;
  readonly random: () => number;
  /** Calls back after so many milliseconds, never keeping the process alive. */
  readonly schedule: (delayMs: number, callback: () => void) => void;
  /** The gate has opened, or a probe may go. */
  readonly onChange: () => void;
  /** A hold began or ended: once per change. */
  readonly onHold: (change: { reason: TargetHold; isHeld: boolean; error: string; heldMs: number }) => void;
}

const firstPauseMs = 1_000;
const longestPauseMs = 60_000;

/** Decides when a call may go: holds, their probes, and how many calls at a time. Synchronous, and told the time. */
export class Gate {
  readonly #options: GateOptions;
  readonly #holds = new Map<TargetHold, HoldState>();
  readonly #ramp: Ramp;
  readonly #row = new RefusalRow();
  #inFlight = 0;
  #generation = 0;
  #isProbing = false;
  #news = 0;

  constructor(options: GateOptions) {
    this.#options = options;
    this.#ramp = new Ramp({ max: options.concurrency, timeoutMs: options.timeoutMs });
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /** How many calls may be in flight at present where nothing is held. */
  get limit(): number {
    return this.#ramp.limit;
  }

  get isHeld(): boolean {
    return this.#holds.size > 0;
  }

  get holds(): readonly TargetHold[] {
    return [...this.#holds.keys()];
  }

  get state(): GateState {
    if (this.#holds.size === 0) return this.#inFlight < this.#ramp.limit ? "open" : "closed";
    return !this.#isProbing && this.#dueAt() <= this.#options.now() ? "probe" : "closed";
  }

  /** Takes the right to make a call; only where the state is not `closed`. */
  take(): Permit {
    const isProbe = this.#holds.size > 0;
    this.#isProbing ||= isProbe;
    this.#inFlight++;
    return { generation: this.#generation, isProbe, news: this.#news };
  }

  /** The call has ended, however it did. */
  release({ isProbe }: Permit): void {
    this.#inFlight--;
    if (isProbe) this.#isProbing = false;
  }

  /** Whether the gate has closed since this permit was given: what the call found is old news. */
  isLate({ generation, isProbe }: Permit): boolean {
    return !isProbe && generation !== this.#generation;
  }

  /** A call went well. A probe that did ends every hold but `target_down`, which is the breaker's. */
  succeeded(permit: Permit, tookMs: number): void {
    if (this.isLate(permit)) return;
    this.#row.passed();
    this.#ramp.succeeded(tookMs);
    if (permit.isProbe) this.answered();
  }

  /** The target has answered a probe without holding the stream: nobody throttles, refuses the key or redirects any more. */
  answered(): void {
    for (const reason of this.holds) if (reason !== "target_down") this.end(reason);
  }

  /** A call was refused. While others go through one refusal holds nobody, but whoever throttles is obeyed at once. */
  refused(reason: TargetHold, cause: HoldCause & { refused: Refused }): void {
    const isDoubtful = reason !== "throttled" && this.#row.goesThrough && !this.isHeld;
    if (this.#isOfAll(reason, cause)) this.hold(reason, { ...cause, isDoubtful });
  }

  #isOfAll(reason: TargetHold, { permit, refused }: { permit: Permit; refused: Refused }): boolean {
    if (permit.isProbe) return true;
    if (reason === "throttled" || this.isHeld) return refused === "never" || refused === "before";
    // What was asked before the gate closed, or with a key that has been replaced, says nothing of what is now.
    const isOld = permit.news !== this.#news || this.isLate(permit);
    return !isOld && this.#row.add({ refused, underWay: this.#inFlight });
  }

  /** Begins a hold, or prolongs it after a failed probe. `retryAfterMs` is what the target asked for. */
  hold(reason: TargetHold, cause: HoldCause): void {
    const known = this.#holds.get(reason);
    if (!known) this.#begin(reason, cause);
    else if (cause.permit.isProbe) this.#prolong(reason, known, cause);
    // Calls that were in flight when the hold began say the same again: only a longer wait counts.
    else this.#set(reason, { ...known, dueAt: Math.max(known.dueAt, this.#askedUntil(cause)) }, cause.error);
  }

  readonly #askedUntil = ({ retryAfterMs = 0 }: HoldCause): number => this.#options.now() + retryAfterMs;

  #begin(reason: TargetHold, cause: HoldCause): void {
    const { isDoubtful = false, permit, error } = cause;
    // What was asked before the gate closed may still hold the stream, but says nothing of how wide it stands now.
    if (!this.isHeld && !isDoubtful && !this.isLate(permit)) this.#narrow(reason);
    const now = this.#options.now();
    const dueAt = isDoubtful ? now : now + this.#pauseMs(reason, cause, 0);
    this.#set(reason, { isDoubtful, since: now, failedProbes: 0, dueAt }, error);
  }

  #prolong(reason: TargetHold, known: HoldState, cause: HoldCause): void {
    if (known.isDoubtful) this.#narrow(reason);
    const failedProbes = known.isDoubtful ? 0 : known.failedProbes + 1;
    const dueAt = this.#options.now() + this.#pauseMs(reason, cause, failedProbes);
    this.#set(reason, { isDoubtful: false, since: known.since, failedProbes, dueAt }, cause.error);
  }

  /** A probe has failed by the target's fault: the holds that are not the breaker's wait as after any failed probe. */
  prolong(permit: Permit, error: string): void {
    for (const reason of this.holds) if (reason !== "target_down") this.hold(reason, { permit, error });
  }

  #pauseMs(reason: TargetHold, { permit, retryAfterMs }: HoldCause, failedProbes: number): number {
    // The probe had the old key.
    if (reason === "unauthorized" && failedProbes > 0 && permit.news !== this.#news) return 0;
    const random = this.#options.random();
    return retryAfterMs ?? equalJitter({ attempt: failedProbes, baseMs: firstPauseMs, maxMs: longestPauseMs, random });
  }

  /** The breaker has opened: no call until `probeNow("target_down")`. */
  holdForBreaker(error: string): void {
    if (!this.isHeld) this.#narrow("target_down");
    const since = this.#holds.get("target_down")?.since ?? this.#options.now();
    this.#set("target_down", { isDoubtful: false, since, failedProbes: 0, dueAt: Number.POSITIVE_INFINITY }, error);
  }

  /** Something has changed that may end this hold: let a probe go at once. */
  probeNow(reason: TargetHold): void {
    this.#news++;
    const known = this.#holds.get(reason);
    if (!known) return;
    this.#holds.set(reason, { ...known, dueAt: this.#options.now() });
    this.#options.onChange();
  }

  end(reason: TargetHold): void {
    const known = this.#holds.get(reason);
    if (!this.#holds.delete(reason) || !known) return;
    this.#options.onHold({ reason, isHeld: false, error: "", heldMs: this.#options.now() - known.since });
    if (this.#holds.size === 0) this.#options.onChange();
  }

  #narrow(reason: TargetHold): void {
    if (reason === "throttled") this.#ramp.cut();
    else this.#ramp.restart();
  }

  #dueAt(): number {
    return Math.max(...Array.from(this.#holds.values(), ({ dueAt }) => dueAt));
  }

  #set(reason: TargetHold, state: HoldState, error: string): void {
    if (!this.isHeld) {
      this.#generation++;
      this.#row.restart();
    }
    const isNew = !this.#holds.has(reason);
    this.#holds.set(reason, state);
    if (isNew) this.#options.onHold({ reason, isHeld: true, error, heldMs: 0 });
    this.#callBackAt(state.dueAt);
  }

  /** Timers may fire before their time by the clock: a probe must not be missed. */
  #callBackAt(time: number): void {
    const waitMs = time - this.#options.now();
    if (!Number.isFinite(waitMs)) return;
    this.#options.schedule(waitMs, () => {
      if (this.#options.now() < time) this.#callBackAt(time);
      else this.#options.onChange();
    });
  }
}
