import type { Call } from "../core/decide.ts";
import { type Answer, isTargetFailure } from "../core/outcome/classify.ts";
import type { Hold, Refused, Retry, Verdict } from "../core/outcome/outcome.ts";
import { type Breaker, type BreakerState, createBreaker } from "./breaker.ts";
import { Gate, type GateOptions } from "./gate.ts";
import type { GateState, Permit, TargetHold } from "./permit.ts";
import { probePause } from "./probe-pause.ts";

export interface DeliveryOptions extends Omit<GateOptions, "onHold"> {
  readonly breaker: {
    readonly errorPercent: number;
    readonly minCalls: number;
    readonly windowMs: number;
    readonly probeMinMs: number;
    readonly probeMaxMs: number;
  };
  /** Per call, from start to the end of the answer. */
  readonly timeoutMs: number;
  /** Sends one call over the wire; there is exactly one answer. */
  readonly send: (call: Call, onAnswer: (answer: Answer) => void) => void;
  /** What an answer means. */
  readonly judge: (answer: Answer) => Verdict;
  readonly onHold: GateOptions["onHold"];
  readonly onCall: (made: { call: Call["call"]; status: string; seconds: number }) => void;
  /** The key was refused: look whether there is a new one. */
  readonly onUnauthorized: () => void;
}

interface AttemptOptions {
  /** False for the repetitions of one round, which count once for the breaker. */
  readonly isFirst: boolean;
  /** If it is refused again, how much does that say of other events? */
  readonly refused: Refused;
}

interface Attempt extends AttemptOptions {
  readonly call: Call;
  readonly permit: Permit;
  readonly startedAt: number;
  readonly onVerdict: (verdict: Verdict) => void;
}

/** Nearly timed out: a little more load, and calls will fail. */
const slowShare = 0.8;

const targetDown = ({ error }: Retry): Hold => ({ kind: "hold", reason: "target_down", error });

const statusOf = (answer: Answer): string => (answer.kind === "response" ? String(answer.status) : answer.kind);

/** Makes calls and judges their answers: gate, breaker and wire behind one door. */
export class Delivery {
  readonly #options: DeliveryOptions;
  readonly #gate: Gate;
  readonly #breaker: Breaker;
  readonly #slowMs: number;
  #lastError = "";

  constructor(options: DeliveryOptions) {
    this.#options = options;
    this.#gate = new Gate(options);
    this.#slowMs = Math.round(options.timeoutMs * slowShare);
    const { errorPercent, minCalls, windowMs } = options.breaker;
    const pauseMs = (failedProbes: number, downMs: number): number =>
      probePause({ ...options.breaker, failedProbes, downMs, random: options.random() });
    const onChange = (state: BreakerState): void => this.#onBreaker(state);
    this.#breaker = createBreaker({ errorPercent, minCalls, windowMs, pauseMs, onChange });
  }

  get state(): GateState {
    return this.#gate.state;
  }

  get isHeld(): boolean {
    return this.#gate.isHeld;
  }

  get holds(): readonly TargetHold[] {
    return this.#gate.holds;
  }

  get breakerState(): BreakerState {
    return this.#breaker.state;
  }

  /** How many calls may be in flight at present: up to `concurrency`, fewer where the target is not up to it. */
  get limit(): number {
    return this.#gate.limit;
  }

  get inFlight(): number {
    return this.#gate.inFlight;
  }

  /**
   * Makes one call; only where `state` is not `closed`. A failure that opens the breaker, or comes back while it is open, is
   * a hold: no attempt is used.
   */
  attempt(call: Call, { isFirst, refused }: AttemptOptions, onVerdict: (verdict: Verdict) => void): void {
    const { send } = this.#options;
    const [permit, startedAt] = [this.#gate.take(), performance.now()];
    const attempt: Attempt = { call, isFirst, refused, permit, startedAt, onVerdict };
    send(call, (answer) => {
      if (this.#isWorthAnother(answer, attempt)) send(call, (second) => this.#judge(second, attempt));
      else this.#judge(answer, attempt);
    });
  }

  /**
   * A connection that broke before anything was sent is no failure of the event: once, it is tried again at once. Not where
   * that took long, for the second try has a whole time-out again, and a call must end well inside the group's session.
   */
  #isWorthAnother(answer: Answer, { startedAt }: Attempt): boolean {
    const isUnsent = answer.kind === "network" && !answer.sent;
    return isUnsent && performance.now() - startedAt <= this.#options.timeoutMs / 10;
  }

  #judge(answer: Answer, attempt: Attempt): void {
    const { call, permit, startedAt, onVerdict } = attempt;
    const tookMs = performance.now() - startedAt;
    this.#options.onCall({ call: call.call, status: statusOf(answer), seconds: tookMs / 1000 });
    const verdict = this.#options.judge(answer);
    this.#gate.release(permit);
    const told = this.#tell(verdict, attempt, tookMs);
    if (told) void told.then(onVerdict);
    else onVerdict(verdict);
  }

  /** Tells gate and breaker; a promise where the verdict, as it is or changed, has to wait for the breaker. */
  #tell(verdict: Verdict, attempt: Attempt, tookMs: number): Promise<Verdict> | undefined {
    const { permit } = attempt;
    switch (verdict.kind) {
      case "delivered":
        return this.#onDelivered(permit, tookMs)?.then(() => verdict);
      case "hold":
        return this.#onHold(verdict, attempt);
      case "retry":
        return isTargetFailure(verdict) ? this.#onFailure(verdict, attempt) : this.#onAnswer(permit);
      case "dead":
        return this.#onAnswer(permit);
      case "aborted":
        return undefined;
    }
  }

  /** A new access key is in place. */
  retryUnauthorized(): void {
    this.#gate.probeNow("unauthorized");
  }

  close(): void {
    this.#breaker.shutdown();
  }

  #onDelivered(permit: Permit, tookMs: number): Promise<void> | undefined {
    if (this.#gate.isLate(permit)) return undefined;
    if (tookMs > this.#slowMs) return this.#onSlow(permit, tookMs);
    const told = this.#breaker.succeeded();
    this.#gate.succeeded(permit, tookMs);
    // Only a probe's success changes the state; all others need not wait for opossum's bookkeeping.
    return permit.isProbe ? told : undefined;
  }

  /** The event is delivered all the same. */
  #onSlow(permit: Permit, tookMs: number): Promise<void> {
    this.#lastError = `Calls take longer than ${this.#slowMs} ms`;
    if (permit.isProbe) this.#gate.answered();
    else this.#gate.succeeded(permit, tookMs);
    return this.#breaker.slow();
  }

  #onHold({ reason, error, retryAfterMs }: Hold, { permit, refused }: Attempt): undefined {
    this.#gate.refused(reason as TargetHold, { permit, error, retryAfterMs, refused });
    if (reason === "unauthorized") this.#options.onUnauthorized();
  }

  async #onFailure(failure: Retry, { permit, isFirst }: Attempt): Promise<Verdict> {
    if (!this.#gate.isLate(permit)) {
      this.#lastError = failure.error;
      if (permit.isProbe) this.#gate.prolong(permit, failure.error);
      if (isFirst || permit.isProbe) await this.#breaker.failed();
    }
    const { status, retryAfterMs, error } = failure;
    if (status === 503 && retryAfterMs !== undefined) this.#gate.hold("throttled", { permit, error, retryAfterMs });
    // Where only that holds, the attempt is used, or an event that always gets this answer would hold the stream for ever.
    return this.#breaker.state === "closed" ? failure : targetDown(failure);
  }

  /** The target is alive and refuses this event alone: it holds nobody, but says nothing of its health either. */
  #onAnswer({ isProbe }: Permit): undefined {
    if (!isProbe) return;
    this.#gate.answered();
    this.#gate.probeNow("target_down");
  }

  #onBreaker(state: BreakerState): void {
    if (state === "open") this.#gate.holdForBreaker(this.#lastError);
    if (state === "half-open") this.#gate.probeNow("target_down");
    if (state === "closed") this.#gate.end("target_down");
  }
}
