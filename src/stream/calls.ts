import { fullJitter } from "../core/backoff.ts";
import type { Call } from "../core/handle.ts";
import { type Delivered, type Hold, type Retry, type Verdict, dead, skipped } from "../core/outcome.ts";
import type { Dedupe } from "../flow/dedupe.ts";
import type { Lane } from "../flow/lanes.ts";
import type { Assignment, Held } from "./assignment.ts";
import type { Clock, DeliveryPort } from "./ports.ts";
import type { Settling } from "./settling.ts";

export interface CallsOptions {
  readonly delivery: DeliveryPort;
  readonly clock: Clock;
  readonly dedupe: Dedupe;
  /** Calls in one round. */
  readonly quickAttempts: number;
}

/** What a lane's head waits for; `calling`: a call, which tells by itself when all is over. */
export type Step = Promise<void> | "calling" | void;

interface Parts {
  readonly settling: Settling;
  /** A call, and what its verdict asked for, is over. */
  readonly onEnd: (rest: Promise<void> | void) => void;
  /** Heads of lanes in work. */
  readonly working: () => number;
  /** Lets a taken lane start again after a pause. */
  readonly again: (assignment: Assignment, lane: Lane<Held>, delayMs: number) => void;
}

const quickBaseMs = 200;
const quickMaxMs = 5_000;
/** Once may be an address that works and breaks by turns, as during a deploy. */
const oddRounds = 2;

/** No quick attempt comes before the time that the target asked for; with 503 it is the gate that waits, for all. */
const pauseAskedFor = ({ status, retryAfterMs = 0 }: Retry): number => (status === 503 ? 0 : retryAfterMs);

/** Calls to Gainsight, and what their verdicts mean for the lane that they came from. */
export class Calls {
  readonly #options: CallsOptions;
  readonly #parts: Parts;
  #delivered = 0;

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
    const isOpen = this.#options.delivery.state === "open";
    if ((lane.mustYield || mustYield) && inlet.tier === undefined && isOpen)
      return this.#parts.settling.makeWay(assignment, lane);
    return this.#deliver(assignment, lane, call);
  }

  #deliver(assignment: Assignment, lane: Lane<Held>, call: Call): "calling" {
    const { misconfiguredAt, quickAttempts } = lane.head;
    const isProven = misconfiguredAt !== undefined && misconfiguredAt < this.#delivered;
    this.#options.delivery.attempt(call, { isFirst: quickAttempts === 0 }, (verdict) =>
      this.#parts.onEnd(this.#judge(assignment, lane, { verdict, isProven })),
    );
    return "calling";
  }

  #judge(
    assignment: Assignment,
    lane: Lane<Held>,
    { verdict, isProven }: { verdict: Verdict; isProven: boolean },
  ): Promise<void> | void {
    if (!assignment.isLive) return undefined;
    switch (verdict.kind) {
      case "delivered":
        return this.#onDelivered(assignment, lane, verdict);
      case "dead":
        return this.#parts.settling.bury(assignment, lane, verdict);
      case "hold":
        return this.#onHold(assignment, lane, { hold: verdict, isProven });
      case "retry":
        return this.#onFailure(assignment, lane, verdict);
    }
  }

  #onDelivered(assignment: Assignment, lane: Lane<Held>, verdict: Delivered): void {
    const { inlet, arrival } = lane.head;
    const { dedupe, clock } = this.#options;
    this.#delivered++;
    dedupe.delivered(inlet.partition, arrival.messageId, clock.now());
    this.#parts.settling.end(assignment, lane, verdict);
  }

  /** `isProven`: when the call began, others had gone through since this event last found the address wrong. */
  async #onHold(
    assignment: Assignment,
    lane: Lane<Held>,
    { hold, isProven }: { hold: Hold; isProven: boolean },
  ): Promise<void> {
    const held = lane.head;
    held.wasHeld = true;
    // Behind the others: the next probe is to be another event, for this one may be the only one that fails.
    if (hold.reason !== "misconfigured") return assignment.lanes.putBack(lane, "back");
    if (isProven) held.misconfiguredRounds++;
    if (held.misconfiguredRounds >= oddRounds)
      return this.#parts.settling.bury(assignment, lane, dead("rejected", hold.error, hold.status));
    // Calls that were under way before the address broke may still go through, and prove nothing.
    held.misconfiguredAt = this.#delivered + this.#parts.working() - 1;
    return assignment.lanes.putBack(lane, "back");
  }

  async #onFailure(assignment: Assignment, lane: Lane<Held>, failure: Retry): Promise<void> {
    const held = lane.head;
    held.quickAttempts++;
    const { clock, quickAttempts } = this.#options;
    const askedMs = pauseAskedFor(failure);
    const isOver = held.quickAttempts >= quickAttempts || askedMs > quickMaxMs;
    if (isOver || lane.mustYield || held.mustYield) return this.#parts.settling.retry(assignment, lane, failure);
    const pause = { attempt: held.quickAttempts - 1, baseMs: quickBaseMs, maxMs: quickMaxMs, random: clock.random() };
    this.#parts.again(assignment, lane, Math.max(askedMs, fullJitter(pause)));
  }
}
