import type { Call } from "../core/decide.ts";
import type { CallResult } from "../core/outcome/classify.ts";
import type { TargetHoldReason, Verdict } from "../core/outcome/outcome.ts";
import type { AttemptOptions, DeliveryPort } from "../pipeline/ports.ts";
import type { BreakerState } from "./breaker.ts";
import type { GateState, Permit } from "./gate-types.ts";
import { TargetHealth, type TargetHealthOptions } from "./target-health.ts";

export interface DeliveryOptions extends TargetHealthOptions {
  /** Sends one call over HTTP. Calls `onResult` exactly once. */
  readonly send: (call: Call, onResult: (result: CallResult) => void) => void;
  readonly classifyResult: (result: CallResult) => Verdict;
  /** A call has ended. `status` is the HTTP status, or `timeout`, `network` or `aborted`. */
  readonly onCall: (ended: { call: Call["type"]; status: string; seconds: number }) => void;
}

interface Attempt extends AttemptOptions {
  readonly call: Call;
  readonly permit: Permit;
  readonly startedAt: number;
  readonly onVerdict: (verdict: Verdict) => void;
}

const statusLabelOf = (result: CallResult): string =>
  result.kind === "response" ? String(result.status) : result.kind;

/** Makes calls to Gainsight and classifies their results. */
export class Delivery implements DeliveryPort {
  readonly #options: DeliveryOptions;
  readonly #health: TargetHealth;

  constructor(options: DeliveryOptions) {
    this.#options = options;
    this.#health = new TargetHealth(options);
  }

  get state(): GateState {
    return this.#health.state;
  }

  get isHeld(): boolean {
    return this.#health.isHeld;
  }

  get holds(): readonly TargetHoldReason[] {
    return this.#health.holds;
  }

  get breakerState(): BreakerState {
    return this.#health.breakerState;
  }

  /** How many calls may be in flight now: at most `concurrency`, fewer if the target is slow, throttles or was down. */
  get concurrencyLimit(): number {
    return this.#health.concurrencyLimit;
  }

  get inFlight(): number {
    return this.#health.inFlight;
  }

  /**
   * Makes one call; only while `state` is not `closed`. A failure that opens the breaker, or arrives while it is open, is a
   * hold and uses no attempt.
   */
  attempt(call: Call, { isFirst, refusalHistory }: AttemptOptions, onVerdict: (verdict: Verdict) => void): void {
    const { send } = this.#options;
    const [permit, startedAt] = [this.#health.startCall(), performance.now()];
    const attempt: Attempt = { call, isFirst, refusalHistory, permit, startedAt, onVerdict };
    const onResult = (result: CallResult): void => {
      if (this.#maySendAgain(result, attempt)) send(call, (secondResult) => this.#endAttempt(secondResult, attempt));
      else this.#endAttempt(result, attempt);
    };
    send(call, onResult);
  }

  /** A new access key is in place. */
  probeWithNewKey(): void {
    this.#health.probeWithNewKey();
  }

  close(): void {
    this.#health.close();
  }

  /**
   * A connection that broke before anything was sent is no failure of the event: the call is sent again, once. Not if that
   * took long: the second try has a whole time-out again, and a call must end well within the consumer group's session.
   */
  #maySendAgain(result: CallResult, { startedAt }: Attempt): boolean {
    const isUnsent = result.kind === "network" && !result.sent;
    return isUnsent && performance.now() - startedAt <= this.#options.timeoutMs / 10;
  }

  #endAttempt(result: CallResult, attempt: Attempt): void {
    const { onCall, classifyResult } = this.#options;
    const { call, permit, isFirst, refusalHistory, startedAt, onVerdict } = attempt;
    const tookMs = performance.now() - startedAt;
    onCall({ call: call.type, status: statusLabelOf(result), seconds: tookMs / 1_000 });
    const verdict = this.#health.endCall(classifyResult(result), { permit, isFirst, refusalHistory, tookMs });
    if (verdict instanceof Promise) void verdict.then(onVerdict);
    else onVerdict(verdict);
  }
}
