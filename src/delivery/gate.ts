import { equalJitter } from "../core/backoff.ts";
import type { HoldReason } from "../core/outcome.ts";
import { Ramp } from "./ramp.ts";

/** `open`: calls may go; `probe`: one call may go, to see whether a hold has ended; `closed`: none. */
export type GateState = "open" | "probe" | "closed";

/** The right to make one call. */
export interface Permit {
  /** Counts the times that the gate has closed; a permit of an earlier time brings late results. */
  readonly generation: number;
  readonly isProbe: boolean;
  /** Counts the calls of `probeNow`: what a probe found before the last of them says nothing of what has changed since. */
  readonly news: number;
}

export type TargetHold = Extract<HoldReason, "target_down" | "throttled" | "unauthorized" | "misconfigured">;

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

interface HoldCause {
  readonly permit: Permit;
  readonly error: string;
  readonly retryAfterMs?: number | undefined;
}

interface HoldState {
  readonly since: number;
  readonly failedProbes: number;
  /** When a probe may go. */
  readonly dueAt: number;
}

const firstPauseMs = 1_000;
const longestPauseMs = 60_000;

/** Decides when a call may go: holds, their probes, and how many calls at a time. Synchronous, and told the time. */
export class Gate {
  readonly #options: GateOptions;
  readonly #holds = new Map<TargetHold, HoldState>();
  readonly #ramp: Ramp;
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
    this.#ramp.succeeded(tookMs);
    if (permit.isProbe) this.answered();
  }

  /** The target has answered a probe without holding the stream: nobody throttles, refuses the key or redirects any more. */
  answered(): void {
    for (const reason of this.holds) if (reason !== "target_down") this.end(reason);
  }

  /** Begins a hold, or prolongs it after a failed probe. `retryAfterMs` is what the target asked for. */
  hold(reason: TargetHold, cause: HoldCause): void {
    const { permit, error, retryAfterMs = 0 } = cause;
    const known = this.#holds.get(reason);
    const now = this.#options.now();
    // Calls that were in flight when the hold began say the same again: only a longer wait counts.
    if (known && !permit.isProbe) {
      this.#set(reason, { ...known, dueAt: Math.max(known.dueAt, now + retryAfterMs) }, error);
      return;
    }
    // What was asked before the gate closed may still hold the stream, but says nothing of how wide it stands now.
    if (!this.isHeld && !this.isLate(permit)) this.#narrow(reason);
    const { since, failedProbes } = known
      ? { ...known, failedProbes: known.failedProbes + 1 }
      : { since: now, failedProbes: 0 };
    this.#set(reason, { since, failedProbes, dueAt: now + this.#pauseMs(reason, cause, failedProbes) }, error);
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
    this.#set("target_down", { since, failedProbes: 0, dueAt: Number.POSITIVE_INFINITY }, error);
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
    if (!this.isHeld) this.#generation++;
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
