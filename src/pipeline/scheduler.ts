import type { KeyQueue } from "../ordering/key-queues.ts";
import type { Assignment } from "./assignment.ts";
import { mustWaitForSourceQueue } from "./await-turn-step.ts";
import { Capacity, type CapacityOptions } from "./capacity.ts";
import { coalesce } from "./coalesce.ts";
import { markForSpill } from "./hot-keys.ts";
import { Pipeline, type PipelineOptions } from "./pipeline.ts";
import type { Work } from "./step.ts";
import { type OpenPartition, type WorkItem, hasFailed } from "./work-item.ts";

export interface SchedulerOptions extends PipelineOptions, CapacityOptions {
  readonly deadLetterLimit: PipelineOptions["deadLetterLimit"] & { readonly isHeld: boolean };
  /** Whether this member may start a call: not if its session with the group may be over. */
  readonly mayStart: () => boolean;
  /** Asks everything that waits for events to be completed, or for capacity, whether it still must. */
  readonly recheckWaiting: () => void;
}

/** So many checks, one every 250 ms, without a head that may probe. */
const unblockProbeAfterChecks = 20;

/** Takes the heads of the per-key queues and sends them down the pipeline, as many as may start. */
export class Scheduler {
  readonly capacity: Capacity;
  readonly #options: SchedulerOptions;
  readonly #pipeline: Pipeline;
  #assignment: Assignment | undefined;
  #isStopped = true;
  #headsInWork = 0;
  #checksWithoutProbe = 0;
  readonly #drainWaiters: (() => void)[] = [];
  /** Starts all ready heads once all answers of this turn are in: only then their connections are free again. */
  readonly startReadySoon: () => void;

  constructor(options: SchedulerOptions) {
    this.#options = options;
    this.startReadySoon = coalesce(options.clock.nextTurn, () => this.startReady());
    this.capacity = new Capacity(options, () => this.#assignment?.queues.readyCount ?? 0);
    const onEnded = (): void => this.#onEnded();
    const startAgainAfter = (delayMs: number, work: Work): void => this.#startAgainAfter(delayMs, work);
    this.#pipeline = new Pipeline({ ...options, onEnded, startAgainAfter });
  }

  /** Heads in work: calls in flight, and writes that are not yet acknowledged. */
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

  /** An event of the assignment enters the pipeline. */
  enqueue(assignment: Assignment, item: WorkItem): void {
    this.#pipeline.enqueue(assignment, item);
  }

  /** Starts every head that may start now, then asks who may go on because of it. */
  startReady(): void {
    this.#startAllReady();
    this.#options.recheckWaiting();
  }

  #startAllReady(): void {
    const assignment = this.#assignment;
    if (!assignment || !this.#mayStart) return;
    const { delivery, deadLetterLimit } = this.#options;
    for (let { state } = delivery; state !== "closed" && !deadLetterLimit.isHeld; { state } = delivery) {
      const queue = state === "probe" ? this.#takeProbe(assignment) : assignment.queues.takeNext();
      if (!queue) return;
      this.#start({ assignment, queue });
    }
  }

  /**
   * While a hold is probed nothing but a call moves, so that retry topics and dead letters stay untouched. An event that has not
   * failed yet is the best probe.
   */
  #takeProbe(assignment: Assignment): KeyQueue<WorkItem> | undefined {
    const { queues } = assignment;
    const mayProbe = (item: WorkItem): boolean =>
      this.#pipeline.needsCall(item) && !mustWaitForSourceQueue(assignment, item);
    const isFreshProbe = (item: WorkItem): boolean => !hasFailed(item) && mayProbe(item);
    const probe = queues.takeNextWhere(isFreshProbe) ?? queues.takeNextWhere(mayProbe);
    // Nothing is in work, and intake may wait for capacity: an event that could probe would never come in.
    const isStuck = this.#headsInWork === 0 && !this.capacity.mayResume;
    return probe ?? (isStuck ? queues.takeNext() : undefined);
  }

  #start(work: Work): void {
    this.#headsInWork++;
    this.#pipeline.process(work);
  }

  #onEnded(): void {
    this.#headsInWork--;
    if (this.#headsInWork === 0) for (const resolveDrained of this.#drainWaiters.splice(0)) resolveDrained();
    this.startReadySoon();
  }

  #startAgainAfter(delayMs: number, { assignment, queue }: Work): void {
    const startAgain = (): void => {
      assignment.queues.requeue(queue, "front");
      this.startReady();
    };
    this.#options.clock.schedule(delayMs, startAgain);
  }

  /** Moves those to the retry topics who keep others waiting. While nothing moves, nobody is to blame. */
  spillHotKeys(blockedPartitions: readonly OpenPartition[]): void {
    const { delivery, deadLetterLimit, budget, isPaused } = this.#options;
    const assignment = this.#assignment;
    if (!assignment || deadLetterLimit.isHeld || isPaused()) return;
    if (delivery.isHeld) return this.#unblockProbe(assignment);
    markForSpill(assignment, { blockedPartitions, isMemoryShort: !budget.isHalfFree });
  }

  /** All probe candidates may be queued behind events that may not move during a hold. After 5 s one of those is processed. */
  #unblockProbe(assignment: Assignment): void {
    const hasNoProbe = this.#options.delivery.state === "probe" && this.#headsInWork === 0;
    this.#checksWithoutProbe = hasNoProbe ? this.#checksWithoutProbe + 1 : 0;
    if (this.#checksWithoutProbe < unblockProbeAfterChecks || !this.#mayStart) return;
    const queue = assignment.queues.takeNext();
    if (queue) this.#start({ assignment, queue });
  }

  /** Starts nothing more. Resolves when everything that was started has ended. */
  drain(): Promise<void> {
    this.#isStopped = true;
    if (this.#headsInWork === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#drainWaiters.push(resolve);
    });
  }

  /** Ends the assignment: what is still in work counts for nothing. */
  dropAssignment(): void {
    this.#isStopped = true;
    if (this.#assignment) this.#assignment.isCurrentGeneration = false;
    this.#assignment = undefined;
    // Also if nothing was in work: kafkajs goes on fetching while it joins, and what intake reads then belongs to nobody.
    this.#options.budget.reset();
  }
}
