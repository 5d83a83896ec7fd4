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
  /** Whether this member may start calls. False if its session with the consumer group may have expired. */
  readonly mayStart: () => boolean;
  /** Checks again all partitions that wait for events to be completed or for capacity. */
  readonly recheckWaiting: () => void;
}

/** 5 s: checks in a row without a probe candidate, one check every 250 ms. */
const unblockProbeAfterChecks = 20;

/** Takes the heads of the per-key queues and starts as many of them in the pipeline as may start. */
export class Scheduler {
  readonly capacity: Capacity;
  readonly #options: SchedulerOptions;
  readonly #pipeline: Pipeline;
  #assignment: Assignment | undefined;
  #isStopped = true;
  #headsInWork = 0;
  #checksWithoutProbe = 0;
  readonly #drainWaiters: (() => void)[] = [];
  /**
   * Starts all ready heads in the next turn of the event loop: by then the answers of this turn have freed their
   * connections.
   */
  readonly startReadySoon: () => void;

  constructor(options: SchedulerOptions) {
    this.#options = options;
    this.startReadySoon = coalesce(options.clock.nextTurn, () => this.startReady());
    this.capacity = new Capacity(options, () => this.#assignment?.queues.readyCount ?? 0);
    const onEnded = (): void => this.#onEnded();
    const startAgainAfter = (delayMs: number, work: Work): void => this.#startAgainAfter(delayMs, work);
    this.#pipeline = new Pipeline({ ...options, onEnded, startAgainAfter });
  }

  /** The number of heads in work: calls in flight, and writes that are not yet acknowledged. */
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

  /** Starts every head that may start now, then checks which partitions may continue because of it. */
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
   * While a hold is probed, only calls start: nothing is written to the retry topics or the dead-letter topic. An event
   * that has not failed yet is the best probe.
   */
  #takeProbe(assignment: Assignment): KeyQueue<WorkItem> | undefined {
    const { queues } = assignment;
    const mayProbe = (item: WorkItem): boolean =>
      this.#pipeline.needsCall(item) && !mustWaitForSourceQueue(assignment, item);
    const isFreshProbe = (item: WorkItem): boolean => !hasFailed(item) && mayProbe(item);
    const probe = queues.takeNextWhere(isFreshProbe) ?? queues.takeNextWhere(mayProbe);
    // Nothing is in work and intake may wait for capacity. Without this, no probe candidate would ever be read.
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

  /**
   * Called every 250 ms. Marks the events that keep others waiting, so that they spill to the retry topics. During a hold nothing
   * spills; instead an event that keeps all probe candidates waiting is processed.
   */
  spillHotKeys(blockedPartitions: readonly OpenPartition[]): void {
    const { delivery, deadLetterLimit, budget, isPaused } = this.#options;
    const assignment = this.#assignment;
    if (!assignment || deadLetterLimit.isHeld || isPaused()) return;
    if (delivery.isHeld) return this.#unblockProbe(assignment);
    markForSpill(assignment, { blockedPartitions, isMemoryShort: !budget.isHalfFree });
  }

  /** All probe candidates may be queued behind events that may not start during a hold. After 5 s one of those is processed. */
  #unblockProbe(assignment: Assignment): void {
    const hasNoProbe = this.#options.delivery.state === "probe" && this.#headsInWork === 0;
    this.#checksWithoutProbe = hasNoProbe ? this.#checksWithoutProbe + 1 : 0;
    if (this.#checksWithoutProbe < unblockProbeAfterChecks || !this.#mayStart) return;
    const queue = assignment.queues.takeNext();
    if (queue) this.#start({ assignment, queue });
  }

  /** Starts nothing more. Resolves when all work in flight has ended. */
  drain(): Promise<void> {
    this.#isStopped = true;
    if (this.#headsInWork === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#drainWaiters.push(resolve);
    });
  }

  /** Ends the assignment: results of the work still in flight are ignored. */
  dropAssignment(): void {
    this.#isStopped = true;
    if (this.#assignment) this.#assignment.isCurrentGeneration = false;
    this.#assignment = undefined;
    // Even if nothing is in work: kafkajs continues to fetch while it joins, and those records belong to no assignment.
    this.#options.budget.reset();
  }
}
