import type { KeyQueue } from "../ordering/key-queues.ts";
import { Capacity, type CapacityOptions } from "./capacity.ts";
import { coalesce } from "./coalesce.ts";
import { DeliverStep, type DeliverStepOptions, type StepCompletion } from "./deliver-step.ts";
import { mustWaitForSourceQueue, markForSpill } from "./hot-keys.ts";
import { SettleStep, type SettleStepOptions } from "./settle-step.ts";
import {
  type Assignment,
  type WorkItem,
  type Inlet,
  hasFailed,
  needsCall,
  queueKeyOf,
  checkBacklog,
} from "./work-item.ts";

export interface PipelineOptions extends SettleStepOptions, DeliverStepOptions, CapacityOptions {
  /** Whether this member may still start anything: one that the group has lost sight of may not. */
  readonly mayStart: () => boolean;
  /** Asks everything that waits for events to end, or for room, whether it still must. */
  readonly recheckWaiting: () => void;
}

/** A record of a tier whose like is just on its way into the tiers looks again after this. */
const recheckMs = 200;
/** Looks, one every 250 ms, at a probe that nobody can make. */
const unblockProbeAfterChecks = 20;

/** The way of a held record: the head of each lane through delivery and settlement to its outcome. */
export class Pipeline {
  readonly capacity: Capacity;
  readonly #options: PipelineOptions;
  readonly #settleStep: SettleStep;
  readonly #deliverStep: DeliverStep;
  #assignment: Assignment | undefined;
  #isStopped = true;
  #headsInWork = 0;
  #checksWithoutProbe = 0;
  readonly #idleWaiters: (() => void)[] = [];
  /** Starts whatever may start, when all answers of this turn are in: only then their connections have rested, and what they say is known. */
  readonly startReadySoon: () => void;

  constructor(options: PipelineOptions) {
    this.#options = options;
    this.startReadySoon = coalesce(options.clock.nextTurn, () => this.startReady());
    this.capacity = new Capacity(options, () => this.#assignment?.queues.readyCount ?? 0);
    this.#settleStep = new SettleStep(options);
    this.#deliverStep = new DeliverStep(options, {
      settleStep: this.#settleStep,
      onCallEnded: (settlement) => (settlement ? void settlement.then(this.#onHeadEnded) : this.#onHeadEnded()),
      restartAfter: (assignment, queue, delayMs) => this.#restartAfter(assignment, queue, delayMs),
    });
  }

  /** Heads of lanes in work: calls in flight and writes not yet acknowledged. */
  get headsInWork(): number {
    return this.#headsInWork;
  }

  get #mayStart(): boolean {
    const { mayStart, isPaused } = this.#options;
    return !this.#isStopped && !isPaused() && mayStart();
  }

  /** Starts work on an assignment of these partition numbers. */
  beginAssignment(assignment: Assignment, partitions: readonly number[]): void {
    this.#options.dedupe.retainPartitions(partitions);
    this.#assignment = assignment;
    this.#isStopped = false;
  }

  /** Takes up an event of the assignment. One with nothing to do is finished at once, unless it is in its user's chain. */
  enqueue(assignment: Assignment, item: WorkItem): void {
    const { decision, user } = item.parsed;
    this.#settleStep.reserve(item);
    if (decision.kind === "skipped" && item.owned.tier === undefined) this.#settleStep.complete(item, decision);
    else assignment.queues.enqueue(queueKeyOf(item.owned, user), item);
  }

  /** Lets those make way who keep others waiting; while held nobody is to blame. `blocked`: see `letMakeWay`. */
  spillHotKeys(blockedPartitions: readonly Inlet[]): void {
    const { delivery, deadLetterLimit, budget, isPaused } = this.#options;
    const assignment = this.#assignment;
    if (!assignment || deadLetterLimit.isHeld || isPaused()) return;
    if (delivery.isHeld) return this.#unblockProbe(assignment);
    markForSpill(assignment, { blockedPartitions, isMemoryShort: !budget.isHalfFree });
  }

  /**
   * A probe is due, and for a while no call has been at hand: what could probe may stand behind what may not move, or be kept out by it.
   * Then one of the others goes after all.
   */
  #unblockProbe(assignment: Assignment): void {
    const hasNoProbe = this.#options.delivery.state === "probe" && this.#headsInWork === 0;
    this.#checksWithoutProbe = hasNoProbe ? this.#checksWithoutProbe + 1 : 0;
    if (this.#checksWithoutProbe < unblockProbeAfterChecks || !this.#mayStart) return;
    const queue = assignment.queues.takeNext();
    if (queue) this.#startHead(assignment, queue);
  }

  /** Starts whatever may start now. After it, and only then, it is known what has room: every end of an event comes by here. */
  startReady(): void {
    this.#startAllReady();
    this.#options.recheckWaiting();
  }

  #startAllReady(): void {
    const assignment = this.#assignment;
    if (!assignment || !this.#mayStart) return;
    const { delivery, deadLetterLimit } = this.#options;
    for (let { state } = delivery; state !== "closed" && !deadLetterLimit.isHeld; { state } = delivery) {
      const queue = state === "probe" ? this.#takeNextProbe(assignment) : assignment.queues.takeNext();
      if (!queue) return;
      this.#startHead(assignment, queue);
    }
  }

  /** While a hold is probed nothing but a call moves, best one that has not failed yet: tiers and dead letters stay untouched. */
  #takeNextProbe(assignment: Assignment): KeyQueue<WorkItem> | undefined {
    const { queues } = assignment;
    // In this order: to be asked whether it is a call makes a record known.
    const mayProbe = (item: WorkItem): boolean =>
      !mustWaitForSourceQueue(assignment, item) && needsCall(item) && !this.#settleStep.refusalOnHold(item);
    const probe = queues.takeNextWhere((item) => !hasFailed(item) && mayProbe(item)) ?? queues.takeNextWhere(mayProbe);
    // Nothing is in work, and intake may wait for room: what could probe would never come in.
    return probe ?? (this.#headsInWork === 0 && !this.capacity.mayResume ? queues.takeNext() : undefined);
  }

  /** Starts nothing more; resolves when all that was started has ended. */
  drain(): Promise<void> {
    this.#isStopped = true;
    if (this.#headsInWork === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#idleWaiters.push(resolve);
    });
  }

  /** Drops the assignment: what is still in work counts no more. */
  dropAssignment(): void {
    this.#isStopped = true;
    if (this.#assignment) this.#assignment.isCurrentGeneration = false;
    this.#assignment = undefined;
    // Also where nothing was at work: kafkajs goes on fetching while it joins, and what intake took up then is held for nobody.
    this.#options.budget.reset();
  }

  /** An exception here is a bug of ours: nobody catches it, the process ends, and nothing wrong is committed. */
  #startHead(assignment: Assignment, queue: KeyQueue<WorkItem>): void {
    this.#headsInWork++;
    const completion = this.#processHead(assignment, queue);
    if (completion === "calling") return;
    if (completion) void completion.then(this.#onHeadEnded);
    else queueMicrotask(this.#onHeadEnded);
  }

  readonly #onHeadEnded = (): void => {
    this.#headsInWork--;
    if (this.#headsInWork === 0) for (const resolveIdle of this.#idleWaiters.splice(0)) resolveIdle();
    this.startReadySoon();
  };

  #processHead(assignment: Assignment, queue: KeyQueue<WorkItem>): StepCompletion {
    const item = queue.head;
    if (mustWaitForSourceQueue(assignment, item)) return this.#restartAfter(assignment, queue, recheckMs);
    const check = checkBacklog(item);
    if (check.kind === "superseded") return this.#settleStep.dropCopies(assignment, queue);
    if (check.kind === "forward") return this.#settleStep.forward(assignment, queue, check.tier);
    const { decision } = item.parsed;
    switch (decision.kind) {
      case "call":
        return this.#deliverStep.deliver(assignment, queue, decision);
      case "retry":
        return this.#settleStep.retry(assignment, queue, decision);
      case "dead":
        return this.#settleStep.deadLetter(assignment, queue, decision);
      case "skipped":
        return this.#settleStep.completeHead(assignment, queue, decision);
    }
  }

  /** Lets a taken lane start again after a pause. */
  #restartAfter(assignment: Assignment, queue: KeyQueue<WorkItem>, delayMs: number): void {
    this.#options.clock.schedule(delayMs, () => {
      assignment.queues.requeue(queue, "front");
      this.startReady();
    });
  }
}
