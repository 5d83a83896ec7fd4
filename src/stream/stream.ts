import { fullJitter } from "../core/backoff.ts";
import type { Call } from "../core/handle.ts";
import { type Hold, type Retry, dead } from "../core/outcome.ts";
import type { Lane } from "../flow/lanes.ts";
import { type Assignment, type Held, isCall, turnOf } from "./assignment.ts";
import type { DeliveryPort } from "./ports.ts";
import { Settling, type SettlingOptions } from "./settling.ts";

export interface StreamOptions extends SettlingOptions {
  readonly delivery: DeliveryPort;
  /** Calls in one round. */
  readonly quickAttempts: number;
  /** Whether this member may still start anything: one that the group has lost sight of may not. */
  readonly mayStart: () => boolean;
  /** Lanes that may stand ready before no more records are taken up. */
  readonly maxReady: number;
}

const quickBaseMs = 200;
const quickMaxMs = 5_000;
/** Once may be an address that works and breaks by turns, as during a deploy. */
const oddRounds = 2;

/** The way of a held record: the head of each lane through delivery and settlement to its outcome. */
export class Stream {
  readonly #options: StreamOptions;
  readonly #settling: Settling;
  #assignment: Assignment | undefined;
  #isStopped = true;
  #working = 0;
  #delivered = 0;
  readonly #onIdle: (() => void)[] = [];

  constructor(options: StreamOptions) {
    this.#options = options;
    this.#settling = new Settling(options);
  }

  /** Heads of lanes in work: calls in flight and writes not yet acknowledged. */
  get working(): number {
    return this.#working;
  }

  /** No further record is wanted: memory is full, or so many lanes could start already that more would only grow old. */
  get isFull(): boolean {
    return this.#options.budget.isFull || this.#ready >= this.#options.maxReady;
  }

  /** Records are wanted again. Half of the limits, so that pausing and resuming do not flutter. */
  get hasRoom(): boolean {
    return this.#options.budget.hasRoom && this.#ready <= this.#options.maxReady / 2;
  }

  get #ready(): number {
    return this.#assignment?.lanes.ready ?? 0;
  }

  /** Starts work on an assignment. */
  begin(assignment: Assignment): void {
    this.#assignment = assignment;
    this.#isStopped = false;
  }

  /** Takes up a record of the assignment. One with nothing to do is finished at once, unless it is in its user's chain. */
  take(assignment: Assignment, held: Held): void {
    const { meaning, user } = held.arrival;
    this.#options.budget.add(held.bytes);
    if (meaning.kind === "skipped" && held.inlet.tier === undefined) this.#settling.finish(held, meaning);
    else assignment.lanes.add(`${held.inlet.partition}/${user}`, held);
  }

  /** Starts whatever may start now. */
  pump(): void {
    const assignment = this.#assignment;
    if (!assignment || this.#isStopped || !this.#options.mayStart()) return;
    // Asked first: lanes that are set aside count as ready too.
    const { hasRoom } = this;
    const aside = this.#startReady(assignment);
    // Nothing is in work, and intake may wait for room: what could probe would never come in.
    const one = this.#working === 0 && !hasRoom ? aside.shift() : undefined;
    for (const lane of aside.toReversed()) assignment.lanes.putBack(lane, "front");
    if (one) void this.#work(assignment, one);
  }

  /** While a hold is probed nothing but a call moves: tiers and dead letters stay untouched, and are set aside. */
  #startReady(assignment: Assignment): Lane<Held>[] {
    const aside: Lane<Held>[] = [];
    for (let { state } = this.#options.delivery; state !== "closed"; { state } = this.#options.delivery) {
      const lane = assignment.lanes.next();
      if (!lane) break;
      if (state === "probe" && !isCall(lane.head)) aside.push(lane);
      else void this.#work(assignment, lane);
    }
    return aside;
  }

  /** Starts nothing more; resolves when all that was started has ended. */
  stop(): Promise<void> {
    this.#isStopped = true;
    if (this.#working === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#onIdle.push(resolve);
    });
  }

  /** Drops the assignment: what is still in work counts no more. */
  drop(): void {
    this.#isStopped = true;
    if (!this.#assignment) return;
    this.#assignment.isLive = false;
    this.#assignment = undefined;
    this.#options.budget.reset();
  }

  /** An exception here is a bug of ours: nobody catches it, the process ends, and nothing wrong is committed. */
  async #work(assignment: Assignment, lane: Lane<Held>): Promise<void> {
    this.#working++;
    await this.#step(assignment, lane);
    this.#working--;
    if (this.#working === 0) for (const tell of this.#onIdle.splice(0)) tell();
    this.pump();
  }

  #step(assignment: Assignment, lane: Lane<Held>): Promise<void> | void {
    const turn = turnOf(lane.head);
    if (turn.kind === "superseded") return this.#settling.release(assignment, lane);
    if (turn.kind === "forward") return this.#settling.forward(assignment, lane, turn.tier);
    const { meaning } = lane.head.arrival;
    switch (meaning.kind) {
      case "call":
        return this.#deliver(assignment, lane, meaning);
      case "retry":
        return this.#settling.retry(assignment, lane, meaning);
      case "dead":
        return this.#settling.bury(assignment, lane, meaning);
      case "skipped":
        return this.#settling.end(assignment, lane, meaning);
    }
  }

  async #deliver(assignment: Assignment, lane: Lane<Held>, call: Call): Promise<void> {
    const held = lane.head;
    const isProven = held.misconfiguredAt !== undefined && held.misconfiguredAt < this.#delivered;
    const verdict = await this.#options.delivery.attempt(call, { isFirst: held.quickAttempts === 0 });
    if (!assignment.isLive) return;
    switch (verdict.kind) {
      case "delivered":
        this.#delivered++;
        return this.#settling.end(assignment, lane, verdict);
      case "dead":
        return this.#settling.bury(assignment, lane, verdict);
      case "hold":
        return this.#onHold(assignment, lane, { hold: verdict, isProven });
      case "retry":
        return this.#onFailure(assignment, lane, verdict);
    }
  }

  /** `isProven`: when the call began, others had gone through since this event last found the address wrong. */
  async #onHold(
    assignment: Assignment,
    lane: Lane<Held>,
    { hold, isProven }: { hold: Hold; isProven: boolean },
  ): Promise<void> {
    const held = lane.head;
    if (hold.reason !== "misconfigured") return assignment.lanes.putBack(lane, "front");
    if (isProven) held.misconfiguredRounds++;
    if (held.misconfiguredRounds >= oddRounds)
      return this.#settling.bury(assignment, lane, dead("rejected", hold.error, hold.status));
    // Calls that were under way before the address broke may still go through, and prove nothing.
    held.misconfiguredAt = this.#delivered + this.#working - 1;
    return assignment.lanes.putBack(lane, "back");
  }

  async #onFailure(assignment: Assignment, lane: Lane<Held>, failure: Retry): Promise<void> {
    const held = lane.head;
    held.quickAttempts++;
    if (held.quickAttempts >= this.#options.quickAttempts) return this.#settling.retry(assignment, lane, failure);
    const { clock } = this.#options;
    const pause = { attempt: held.quickAttempts - 1, baseMs: quickBaseMs, maxMs: quickMaxMs, random: clock.random() };
    clock.schedule(fullJitter(pause), () => {
      assignment.lanes.putBack(lane, "front");
      this.pump();
    });
  }
}
