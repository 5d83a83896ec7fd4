import { type Past, eventKeyOf } from "../core/outcome/headers.ts";
import { type Dead, type Outcome, type Retry, dead } from "../core/outcome/outcome.ts";
import { type RetryRules, planRetry } from "../core/outcome/retry-plan.ts";
import type { Flood, Ruling } from "../limits/dead-letter-limit.ts";
import type { Budget } from "../limits/memory-budget.ts";
import type { Slot } from "../offsets/tracker.ts";
import type { Lane } from "../ordering/key-queues.ts";
import type { Clock, Move, Observer, SettlePort } from "./ports.ts";
import { causeOf, heldMove, moveOf, parkedMove, refusalOf } from "./retry-records.ts";
import { type Assignment, type Held, turnOf } from "./work-item.ts";

export interface SettlingOptions {
  readonly settle: SettlePort;
  readonly observer: Observer;
  readonly clock: Clock;
  readonly budget: Budget;
  readonly flood: Pick<Flood, "isHeld" | "admit" | "check" | "passed">;
  readonly retryRules: RetryRules;
}

type Final = Exclude<Outcome, { kind: "retry" }>;
type Moves = readonly [Move, ...Move[]];

/** Records that go to a tier in one write, and their bytes: well below what a broker takes in one request. */
const maxRun = 100;
const maxRunBytes = 256 * 1024;

/** A first failure in the future, by a foreign header, would never be old enough to end. */
const firstFailureOf = ({ firstFailedAt }: Past, now: number): number => Math.min(firstFailedAt ?? now, now);

/** Makes the outcome of a lane's head safe, and only then lets its offset be committed and its lane go on. */
export class Settling {
  readonly #options: SettlingOptions;
  /** Lists whose record is charged to the budget. */
  readonly #shared = new WeakSet<Slot>();
  /** Lists that have a dead letter already. */
  readonly #buried = new WeakSet<Slot>();

  constructor(options: SettlingOptions) {
    this.#options = options;
  }

  /** One round has failed: to the next tier, or, when attempts and age are spent, to the dead letters. */
  retry(assignment: Assignment, lane: Lane<Held>, failure: Retry): Promise<void> {
    const { past } = lane.head.arrival;
    const now = this.#options.clock.now();
    const attempts = past.attempts + 1;
    const firstFailedAt = firstFailureOf(past, now);
    const { tier } = lane.head.inlet;
    const plan = planRetry(this.#options.retryRules, { failure, tier, attempts, firstFailedAt, now });
    if (plan.kind === "tier")
      return this.#move(assignment, lane, [
        moveOf(lane.head, { ...failure, attempts, firstFailedAt, tier: plan.tier }),
      ]);
    const { reason, error, status } = failure;
    if (reason === "unknown_schema") return this.bury(assignment, lane, dead(reason, error, status));
    return this.bury(assignment, lane, { ...dead("retries_exhausted", error, status), rule: reason });
  }

  /** An earlier event of the user waits in a tier: the head waits behind it, and in one write those behind the head that follow. */
  forward(assignment: Assignment, lane: Lane<Held>, tier: number): Promise<void> {
    const error = "Waits behind an earlier event of its user";
    let bytes = 0;
    const follows = (held: Held): boolean => {
      // The whole record is written, also where it is but one event of a list.
      bytes += held.arrival.record.value?.length ?? 0;
      return bytes < maxRunBytes && turnOf(held).kind === "forward";
    };
    lane.mustYield = false;
    const [, ...more] = assignment.lanes.run(lane, maxRun, follows);
    const moves = more.map((held) => parkedMove(held, tier, error));
    return this.#move(assignment, lane, [parkedMove(lane.head, tier, error), ...moves]);
  }

  /** Too much waits behind the head: it goes to the first tier, those behind it follow, and other users have room. */
  makeWay(assignment: Assignment, lane: Lane<Held>): Promise<void> {
    lane.mustYield = false;
    return this.#move(assignment, lane, [parkedMove(lane.head, 0, "Makes way: too much of its user waits")]);
  }

  async #move(assignment: Assignment, lane: Lane<Held>, moves: Moves): Promise<void> {
    const offset = await this.#options.settle.retry(moves, () => assignment.isLive);
    if (offset === undefined || !assignment.isLive) return;
    if (offset === "too_large") return this.#tooLarge(assignment, lane, moves);
    for (const [index, held] of assignment.lanes.run(lane, moves.length, () => true).entries()) {
      const { arrival, inlet } = held;
      const failure = moves[index]?.failure;
      // Its copy may have been read, and gone on, before the write was acknowledged: then that one counts.
      if (!failure || turnOf(held).kind === "superseded") continue;
      inlet.chains.moved(arrival.user, eventKeyOf(arrival.past.origin), { tier: failure.tier, offset: offset + index });
      this.#options.observer.moved(arrival, failure);
    }
    this.release(assignment, lane, moves.length);
  }

  #tooLarge(assignment: Assignment, lane: Lane<Held>, [first, ...more]: Moves): Promise<void> {
    if (more.length > 0) return this.#move(assignment, lane, [first]);
    const { reason, error } = first.failure;
    return this.bury(assignment, lane, dead("too_large", `${reason}: ${error}`));
  }

  async bury(assignment: Assignment, lane: Lane<Held>, outcome: Dead): Promise<void> {
    const held = lane.head;
    const { clock, settle } = this.#options;
    held.verdict = outcome;
    const ruling = this.#ask(held, outcome);
    if (ruling === "held") return assignment.lanes.putBack(lane, "front");
    if (ruling === "parked") return this.#park(assignment, lane, outcome);
    const { arrival } = held;
    const { origin, attempts } = arrival.past;
    const firstFailedAt = firstFailureOf(arrival.past, clock.now());
    const { reason, error, status } = outcome;
    const isCalled = held.quickAttempts > 0 || reason === "rejected";
    const spent = isCalled ? attempts + 1 : attempts;
    const failure: Failure = { origin, reason, error, status, attempts: spent, firstFailedAt };
    const isSafe = await settle.dead(arrival, failure, () => assignment.isLive);
    if (!isSafe || !assignment.isLive) return;
    assignment.lanes.done(lane);
    this.#finish({ ...held, arrival: { ...arrival, past: { ...arrival.past, attempts: spent } } }, outcome);
  }

  /**
   * Too many end like the head: it waits in the next retry topic, without using an attempt, so that its partition goes on. From
   * there it comes back and asks again.
   */
  #park(assignment: Assignment, lane: Lane<Held>, outcome: Dead): Promise<void> {
    const { tier = -1 } = lane.head.inlet;
    const next = Math.min(tier + 1, this.#options.retryRules.delaysMs.length - 1);
    return this.#move(assignment, lane, [heldMove(lane.head, next, outcome)]);
  }

  /** Gainsight has refused it, and what it refuses like that still waits: to ask again and again would only be a burden. */
  refusalOf(held: Held): Dead | undefined {
    const refusal = refusalOf(held);
    return refusal && this.#options.flood.check(causeOf(held, refusal)) === "parked" ? refusal : undefined;
  }

  /** To the limit of dead letters a list is one bad record, however many of its events are dead. */
  #ask(held: Held, outcome: Dead): Ruling {
    const { slot, shared } = held;
    const { flood, clock } = this.#options;
    const cause = causeOf(held, outcome);
    if (this.#buried.has(slot)) return flood.check(cause);
    const ruling = flood.admit(cause, outcome.error, clock.now());
    if (ruling === "admitted" && shared > 0) this.#buried.add(slot);
    return ruling;
  }

  /** The final outcome of a lane's head, any but dead. */
  end(assignment: Assignment, lane: Lane<Held>, outcome: Exclude<Final, Dead>): void {
    const held = lane.head;
    assignment.lanes.done(lane);
    this.finish(held, outcome);
  }

  finish(held: Held, outcome: Exclude<Final, Dead>): void {
    this.#options.flood.passed(held.arrival.past.origin.topic, this.#options.clock.now());
    this.#finish(held, outcome);
  }

  #finish(held: Held, outcome: Final): void {
    const { arrival, inlet } = held;
    // Nobody waits in the retry topics, as a rule: then the key need not be made.
    if (inlet.chains.records > 0) inlet.chains.finished(arrival.user, eventKeyOf(arrival.past.origin));
    this.#letGo(held);
    this.#options.observer.finished(arrival, outcome);
  }

  /** Charges the budget for an event; the record of a list is charged once, with its first event. */
  hold({ slot, bytes, shared }: Held): void {
    this.#options.budget.add(bytes);
    if (shared === 0 || this.#shared.has(slot)) return;
    this.#shared.add(slot);
    this.#options.budget.add(shared, 0);
  }

  /** The record of a list is held until the last of its events is. */
  #letGo({ arrival, inlet, slot, bytes, shared }: Held): void {
    inlet.tracker.finish(slot, arrival.past.origin.index);
    this.#options.budget.remove(bytes);
    if (shared > 0 && slot.open === 0) this.#options.budget.remove(shared, 0);
  }

  /** These copies of a lane's first records are done with; the events live on elsewhere. */
  release(assignment: Assignment, lane: Lane<Held>, count = 1): void {
    for (const held of assignment.lanes.run(lane, count, () => true)) this.#letGo(held);
    assignment.lanes.done(lane, count);
  }
}
