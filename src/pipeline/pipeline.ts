import type { Lane } from "../ordering/key-queues.ts";
import { Capacity, type CapacityOptions } from "./capacity.ts";
import { onceATurn } from "./coalesce.ts";
import { Calls, type CallsOptions, type Step } from "./deliver-step.ts";
import { isOnItsWay, letMakeWay } from "./hot-keys.ts";
import { Settling, type SettlingOptions } from "./settle-step.ts";
import { type Assignment, type Held, type Inlet, hasFailed, isCall, laneOf, turnOf } from "./work-item.ts";

export interface StreamOptions extends SettlingOptions, CallsOptions, CapacityOptions {
  /** Whether this member may still start anything: one that the group has lost sight of may not. */
  readonly mayStart: () => boolean;
  /** Asks everything that waits for events to end, or for room, whether it still must. */
  readonly review: () => void;
}

/** A record of a tier whose like is just on its way into the tiers looks again after this. */
const lookAgainMs = 200;
/** Looks, one every 250 ms, at a probe that nobody can make. */
const helpProbeAfter = 20;

/** The way of a held record: the head of each lane through delivery and settlement to its outcome. */
export class Stream {
  readonly capacity: Capacity;
  readonly #options: StreamOptions;
  readonly #settling: Settling;
  readonly #calls: Calls;
  #assignment: Assignment | undefined;
  #isStopped = true;
  #working = 0;
  #probeless = 0;
  readonly #onIdle: (() => void)[] = [];
  /** Starts whatever may start, when all answers of this turn are in: only then their connections have rested, and what they say is known. */
  readonly pumpSoon: () => void;

  constructor(options: StreamOptions) {
    this.#options = options;
    this.pumpSoon = onceATurn(options.clock.nextTurn, () => this.pump());
    this.capacity = new Capacity(options, () => this.#assignment?.lanes.ready ?? 0);
    this.#settling = new Settling(options);
    this.#calls = new Calls(options, {
      settling: this.#settling,
      onEnd: (rest) => (rest ? void rest.then(this.#ended) : this.#ended()),
      again: (assignment, lane, delayMs) => this.#again(assignment, lane, delayMs),
    });
  }

  /** Heads of lanes in work: calls in flight and writes not yet acknowledged. */
  get working(): number {
    return this.#working;
  }

  get #mayStart(): boolean {
    const { mayStart, isPaused } = this.#options;
    return !this.#isStopped && !isPaused() && mayStart();
  }

  /** Starts work on an assignment of these partition numbers. */
  begin(assignment: Assignment, partitions: readonly number[]): void {
    this.#options.dedupe.keep(partitions);
    this.#assignment = assignment;
    this.#isStopped = false;
  }

  /** Takes up an event of the assignment. One with nothing to do is finished at once, unless it is in its user's chain. */
  take(assignment: Assignment, held: Held): void {
    const { meaning, user } = held.arrival;
    this.#settling.hold(held);
    if (meaning.kind === "skipped" && held.inlet.tier === undefined) this.#settling.finish(held, meaning);
    else assignment.lanes.add(laneOf(held.inlet, user), held);
  }

  /** Lets those make way who keep others waiting; while held nobody is to blame. `blocked`: see `letMakeWay`. */
  relieve(blocked: readonly Inlet[]): void {
    const { delivery, flood, budget, isPaused } = this.#options;
    const assignment = this.#assignment;
    if (!assignment || flood.isHeld || isPaused()) return;
    if (delivery.isHeld) return this.#helpProbe(assignment);
    letMakeWay(assignment, { blocked, isMemoryShort: !budget.hasRoom });
  }

  /**
   * A probe is due, and for a while no call has been at hand: what could probe may stand behind what may not move, or be kept out by it.
   * Then one of the others goes after all.
   */
  #helpProbe(assignment: Assignment): void {
    const isProbeless = this.#options.delivery.state === "probe" && this.#working === 0;
    this.#probeless = isProbeless ? this.#probeless + 1 : 0;
    if (this.#probeless < helpProbeAfter || !this.#mayStart) return;
    const lane = assignment.lanes.next();
    if (lane) this.#work(assignment, lane);
  }

  /** Starts whatever may start now. After it, and only then, it is known what has room: every end of an event comes by here. */
  pump(): void {
    this.#startAll();
    this.#options.review();
  }

  #startAll(): void {
    const assignment = this.#assignment;
    if (!assignment || !this.#mayStart) return;
    const { delivery, flood } = this.#options;
    for (let { state } = delivery; state !== "closed" && !flood.isHeld; { state } = delivery) {
      const lane = state === "probe" ? this.#nextProbe(assignment) : assignment.lanes.next();
      if (!lane) return;
      this.#work(assignment, lane);
    }
  }

  /** While a hold is probed nothing but a call moves, best one that has not failed yet: tiers and dead letters stay untouched. */
  #nextProbe(assignment: Assignment): Lane<Held> | undefined {
    const { lanes } = assignment;
    // In this order: to be asked whether it is a call makes a record known.
    const mayProbe = (held: Held): boolean =>
      !isOnItsWay(assignment, held) && isCall(held) && !this.#settling.refusalOf(held);
    const probe = lanes.nextLike((held) => !hasFailed(held) && mayProbe(held)) ?? lanes.nextLike(mayProbe);
    // Nothing is in work, and intake may wait for room: what could probe would never come in.
    return probe ?? (this.#working === 0 && !this.capacity.hasRoom ? lanes.next() : undefined);
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
    if (this.#assignment) this.#assignment.isLive = false;
    this.#assignment = undefined;
    // Also where nothing was at work: kafkajs goes on fetching while it joins, and what intake took up then is held for nobody.
    this.#options.budget.reset();
  }

  /** An exception here is a bug of ours: nobody catches it, the process ends, and nothing wrong is committed. */
  #work(assignment: Assignment, lane: Lane<Held>): void {
    this.#working++;
    const step = this.#step(assignment, lane);
    if (step === "calling") return;
    if (step) void step.then(this.#ended);
    else queueMicrotask(this.#ended);
  }

  readonly #ended = (): void => {
    this.#working--;
    if (this.#working === 0) for (const tell of this.#onIdle.splice(0)) tell();
    this.pumpSoon();
  };

  #step(assignment: Assignment, lane: Lane<Held>): Step {
    const held = lane.head;
    if (isOnItsWay(assignment, held)) return this.#again(assignment, lane, lookAgainMs);
    const turn = turnOf(held);
    if (turn.kind === "superseded") return this.#settling.release(assignment, lane);
    if (turn.kind === "forward") return this.#settling.forward(assignment, lane, turn.tier);
    const { meaning } = held.arrival;
    switch (meaning.kind) {
      case "call":
        return this.#calls.make(assignment, lane, meaning);
      case "retry":
        return this.#settling.retry(assignment, lane, meaning);
      case "dead":
        return this.#settling.bury(assignment, lane, meaning);
      case "skipped":
        return this.#settling.end(assignment, lane, meaning);
    }
  }

  /** Lets a taken lane start again after a pause. */
  #again(assignment: Assignment, lane: Lane<Held>, delayMs: number): void {
    this.#options.clock.schedule(delayMs, () => {
      assignment.lanes.putBack(lane, "front");
      this.pump();
    });
  }
}
