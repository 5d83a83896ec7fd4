import type { Failure, Past } from "../core/headers.ts";
import { type Dead, type Outcome, type Retry, dead } from "../core/outcome.ts";
import { type RetryRules, planRetry } from "../core/retry-plan.ts";
import type { Budget } from "../flow/budget.ts";
import type { Lane } from "../flow/lanes.ts";
import type { Assignment, Held } from "./assignment.ts";
import type { Clock, Observer, SettlePort } from "./ports.ts";

export interface SettlingOptions {
  readonly settle: SettlePort;
  readonly observer: Observer;
  readonly clock: Clock;
  readonly budget: Budget;
  readonly retryRules: RetryRules;
  /** Something was finished: there may be room to take up more. */
  readonly onFinished: () => void;
}

type Final = Exclude<Outcome, { kind: "retry" }>;

/** A first failure in the future, by a foreign header, would never be old enough to end. */
const firstFailureOf = ({ firstFailedAt }: Past, now: number): number => Math.min(firstFailedAt ?? now, now);

/** Makes the outcome of a lane's head safe, and only then lets its offset be committed and its lane go on. */
export class Settling {
  readonly #options: SettlingOptions;

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
      return this.#move(assignment, lane, { ...failure, attempts, firstFailedAt, tier: plan.tier });
    const reason = failure.reason === "unknown_schema" ? "unknown_schema" : "retries_exhausted";
    return this.bury(assignment, lane, dead(reason, failure.error, failure.status));
  }

  /** An earlier event of the user waits in a tier: this one waits behind it, and uses no attempt. */
  forward(assignment: Assignment, lane: Lane<Held>, tier: number): Promise<void> {
    const { attempts, firstFailedAt } = lane.head.arrival.past;
    const error = "Waits behind an earlier event of its user";
    return this.#move(assignment, lane, { reason: "parked", error, attempts, firstFailedAt, tier });
  }

  async #move(
    assignment: Assignment,
    lane: Lane<Held>,
    move: Omit<Failure, "origin"> & { tier: number },
  ): Promise<void> {
    const { arrival, inlet } = lane.head;
    const failure = { origin: arrival.past.origin, partition: inlet.partition, ...move };
    const offset = await this.#options.settle.retry(arrival, failure);
    if (offset === undefined || !assignment.isLive) return;
    if (offset === "too_large") return this.bury(assignment, lane, dead("too_large", `${move.reason}: ${move.error}`));
    inlet.chains.moved(arrival.user, arrival.past.origin.id, { tier: move.tier, offset });
    this.#options.observer.moved(arrival, failure);
    this.release(assignment, lane);
  }

  async bury(assignment: Assignment, lane: Lane<Held>, outcome: Dead): Promise<void> {
    const held = lane.head;
    const { arrival } = held;
    const { origin, attempts } = arrival.past;
    const firstFailedAt = firstFailureOf(arrival.past, this.#options.clock.now());
    const { reason, error, status } = outcome;
    const isCalled = held.quickAttempts > 0 || reason === "rejected";
    const spent = isCalled ? attempts + 1 : attempts;
    const failure = { origin, reason, error, status, attempts: spent, firstFailedAt };
    const isSafe = await this.#options.settle.dead(arrival, failure);
    if (!isSafe || !assignment.isLive) return;
    assignment.lanes.done(lane);
    this.finish({ ...held, arrival: { ...arrival, past: { ...arrival.past, attempts: spent } } }, outcome);
  }

  /** The final outcome of a lane's head. */
  end(assignment: Assignment, lane: Lane<Held>, outcome: Final): void {
    const held = lane.head;
    assignment.lanes.done(lane);
    this.finish(held, outcome);
  }

  finish(held: Held, outcome: Final): void {
    const { arrival, inlet, slot } = held;
    inlet.chains.finished(arrival.user, arrival.past.origin.id);
    inlet.tracker.finish(slot);
    this.#options.observer.finished(arrival, outcome);
    this.#free(held);
  }

  /** This copy of a lane's head is done with; the event lives on elsewhere. */
  release(assignment: Assignment, lane: Lane<Held>): void {
    const held = lane.head;
    held.inlet.tracker.finish(held.slot);
    assignment.lanes.done(lane);
    this.#free(held);
  }

  #free({ bytes }: Held): void {
    this.#options.budget.remove(bytes);
    this.#options.onFinished();
  }
}
