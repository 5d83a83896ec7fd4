import type { Call } from "../core/decide.ts";
import { fullJitter } from "../core/outcome/backoff.ts";
import {
  type Dead,
  type Delivered,
  type Hold,
  type Refused,
  type Retry,
  type Verdict,
  dead,
  skipped,
} from "../core/outcome/outcome.ts";
import type { Dedupe } from "../limits/dedupe.ts";
import type { Lane } from "../ordering/key-queues.ts";
import type { Clock, DeliveryPort } from "./ports.ts";
import { OddOnes, isRefusal } from "./refused-alone.ts";
import type { Settling } from "./settle-step.ts";
import type { Assignment, Held } from "./work-item.ts";

export interface CallsOptions {
  readonly delivery: DeliveryPort;
  readonly clock: Clock;
  readonly dedupe: Dedupe;
  /** Calls in one round. */
  readonly quickAttempts: number;
}

/** What a lane's head waits for; `calling`: a call, which tells by itself when all is over. */
export type Step = Promise<void> | "calling" | void;

/** A call that was made. */
interface Made {
  readonly number: number;
  /** How its event had fared when it began. */
  readonly refused: Refused;
}

interface Parts {
  readonly settling: Settling;
  /** A call, and what its verdict asked for, is over. */
  readonly onEnd: (rest: Promise<void> | void) => void;
  /** Lets a taken lane start again after a pause. */
  readonly again: (assignment: Assignment, lane: Lane<Held>, delayMs: number) => void;
}

const quickBaseMs = 200;
const quickMaxMs = 5_000;

/** No quick attempt comes before the time that the target asked for; with 503 it is the gate that waits, for all. */
const pauseAskedFor = ({ status, retryAfterMs = 0 }: Retry): number => (status === 503 ? 0 : retryAfterMs);

/** What becomes of an event that alone is refused. */
const oddOutcome = ({ reason, error: refusal, status, retryAfterMs }: Hold): Retry | Dead => {
  const error = `Only this event is refused, others go through: ${refusal}`;
  if (reason !== "throttled") return dead("rejected", error, status);
  const given = { ...(status !== undefined && { status }), ...(retryAfterMs !== undefined && { retryAfterMs }) };
  return { kind: "retry", reason: "throttled", error, ...given };
};

/**
 * Others have gone through more than once, and this one alone is asked to wait for longer than its queue may stand still. That
 * is little evidence, but all that it costs is an attempt.
 */
const isOwnLimit = ({ reason, retryAfterMs = 0 }: Hold, { suspicion }: Held): boolean =>
  reason === "throttled" && retryAfterMs > quickMaxMs && (suspicion?.rounds ?? 0) > 1;

/** Calls to Gainsight, and what their verdicts mean for the lane that they came from. */
export class Calls {
  readonly #options: CallsOptions;
  readonly #parts: Parts;
  readonly #oddOnes = new OddOnes();

  constructor(options: CallsOptions, parts: Parts) {
    this.#options = options;
    this.#parts = parts;
  }

  /** Makes the call of a lane's head, unless its verdict is known already, it was delivered before, or its user has to make way. */
  make(assignment: Assignment, lane: Lane<Held>, call: Call): Step {
    const { verdict, inlet, mustYield, arrival } = lane.head;
    if (verdict) return this.#parts.settling.bury(assignment, lane, verdict);
    const { dedupe, clock } = this.#options;
    if (dedupe.has(inlet.partition, arrival.messageId, clock.now))
      return this.#parts.settling.end(assignment, lane, skipped("duplicate"));
    const refusal = this.#parts.settling.refusalOf(lane.head);
    if (refusal) return this.#parts.settling.bury(assignment, lane, refusal);
    const isOpen = this.#options.delivery.state === "open";
    if ((lane.mustYield || mustYield) && inlet.tier === undefined && isOpen)
      return this.#parts.settling.makeWay(assignment, lane);
    return this.#deliver(assignment, lane, call);
  }

  #deliver(assignment: Assignment, lane: Lane<Held>, call: Call): "calling" {
    const isFirst = lane.head.quickAttempts === 0;
    const refused = this.#oddOnes.refusedOf(lane.head);
    const number = this.#oddOnes.begin();
    this.#options.delivery.attempt(call, { isFirst, refused }, (verdict) =>
      this.#parts.onEnd(this.#judge(assignment, lane, { verdict, number, refused })),
    );
    return "calling";
  }

  #judge(
    assignment: Assignment,
    lane: Lane<Held>,
    { verdict, number, refused }: { verdict: Verdict } & Made,
  ): Promise<void> | void {
    if (!assignment.isLive) return undefined;
    switch (verdict.kind) {
      case "delivered":
        this.#oddOnes.passed(lane.head, number);
        return this.#onDelivered(assignment, lane, verdict);
      case "dead":
        return this.#parts.settling.bury(assignment, lane, verdict);
      case "hold":
        return this.#onHold(assignment, lane, { hold: verdict, refused });
      case "retry":
        return this.#onFailure(assignment, lane, verdict);
      case "aborted":
        return assignment.lanes.putBack(lane, "front");
    }
  }

  #onDelivered(assignment: Assignment, lane: Lane<Held>, verdict: Delivered): void {
    const { inlet, arrival } = lane.head;
    const { dedupe, clock } = this.#options;
    dedupe.delivered(inlet.partition, arrival.messageId, clock.now());
    this.#parts.settling.end(assignment, lane, verdict);
  }

  async #onHold(
    assignment: Assignment,
    lane: Lane<Held>,
    { hold, refused }: { hold: Hold; refused: Refused },
  ): Promise<void> {
    const held = lane.head;
    held.wasHeld = true;
    if (!isRefusal(hold)) return assignment.lanes.putBack(lane, "back");
    if (this.#oddOnes.isOdd(held, hold.reason, refused) || isOwnLimit(hold, held))
      return this.#settleOdd(assignment, lane, hold);
    // Behind the others: the next probe is to be another event, for this one may be the only one that fails.
    if (this.#options.delivery.isHeld) return assignment.lanes.putBack(lane, "back");
    return this.#askAgain(assignment, lane);
  }

  /** Refused, it holds nobody, so nothing but its own pause keeps it from being called again at once. */
  async #askAgain(assignment: Assignment, lane: Lane<Held>): Promise<void> {
    const { inlet, mustYield, suspicion } = lane.head;
    if ((lane.mustYield || mustYield) && inlet.tier === undefined)
      return this.#parts.settling.makeWay(assignment, lane);
    return this.#parts.again(assignment, lane, this.#quickPauseMs(suspicion?.unproven ?? 0));
  }

  /** A limit may end, and then its event will do; nothing ends the refusal of a single event by its key or its address. */
  #settleOdd(assignment: Assignment, lane: Lane<Held>, hold: Hold): Promise<void> {
    const outcome = oddOutcome(hold);
    return outcome.kind === "retry"
      ? this.#parts.settling.retry(assignment, lane, outcome)
      : this.#parts.settling.bury(assignment, lane, outcome);
  }

  #quickPauseMs(attempt: number): number {
    return fullJitter({ attempt, baseMs: quickBaseMs, maxMs: quickMaxMs, random: this.#options.clock.random() });
  }

  async #onFailure(assignment: Assignment, lane: Lane<Held>, failure: Retry): Promise<void> {
    const held = lane.head;
    held.quickAttempts++;
    const askedMs = pauseAskedFor(failure);
    const isOver = held.quickAttempts >= this.#options.quickAttempts || askedMs > quickMaxMs;
    if (isOver || lane.mustYield || held.mustYield) return this.#parts.settling.retry(assignment, lane, failure);
    this.#parts.again(assignment, lane, Math.max(askedMs, this.#quickPauseMs(held.quickAttempts - 1)));
  }
}
