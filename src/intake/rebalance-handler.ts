import { isProgrammingError } from "../kafka/own-errors.ts";
import type { TopicPartition } from "../kafka/topic-partition.ts";
import type { Scheduler } from "../pipeline/scheduler.ts";
import type { Commits } from "./commits.ts";
import type { Ingest } from "./ingest.ts";
import type { LogReset } from "./log-resets.ts";
import type { OwnedPartition } from "./owned-partition.ts";
import { StartRefusedError, type StartOffsets, type StartOffsetsOptions, readStartOffsets } from "./start-offsets.ts";

export interface RebalanceHandlerOptions {
  readonly ingest: Pick<Ingest, "assign" | "open" | "pauseAll" | "ownedPartitions">;
  readonly scheduler: Pick<Scheduler, "drain" | "dropAssignment">;
  readonly commits: Pick<Commits, "flush">;
  readonly startOffsets: StartOffsetsOptions;
  /** A log is not the one that the group, or this member, has read. */
  readonly onLogReset: (reset: LogReset) => void;
  /** Time limits for work in flight, in milliseconds: before a join (well below the session timeout), and before leaving. */
  readonly drainTimeoutMs: { readonly join: number; readonly leave: number };
  readonly pause: (ms: number) => Promise<void>;
  /** Aborts the calls that exceed the time limit. */
  readonly abortCalls: () => void;
  /** The state or its detail has changed. `detail` is a sentence for the log. */
  readonly onState: (state: RebalanceState, detail: string) => void;
  readonly onFatal: (error: Error) => void;
}

/**
 * `joining`: between two assignments; `restoring`: reading the start offsets; `owner`: the assignment is active; `leaving`:
 * the service shuts down.
 */
export type RebalanceState = "joining" | "restoring" | "owner" | "leaving";

const retryPauseMs = 1_000;
/** How long aborted calls may take to end. */
const abortTimeoutMs = 1_000;
const commitTimeoutMs = 5_000;

/**
 * Handles the rebalances of this member. Before a join it ends the assignment: it drains and commits. After the join it opens
 * the new assignment at the committed offsets.
 */
export class RebalanceHandler {
  readonly #options: RebalanceHandlerOptions;
  #state: RebalanceState = "joining";
  #detail = "";
  /** Counts the assignments of this member. An answer that was requested for an earlier one is ignored. */
  #generation = 0;
  #handover: Promise<void> | undefined;

  constructor(options: RebalanceHandlerOptions) {
    this.#options = options;
  }

  get state(): RebalanceState {
    return this.#state;
  }

  /** Called before every join: starts nothing more, waits for the work in flight, and commits it with the old generation. */
  async beforeJoin(): Promise<void> {
    await this.#endAssignment("joining", {
      detail: "The group is joining",
      drainTimeoutMs: this.#options.drainTimeoutMs.join,
    });
  }

  /** Called after every join. Pauses all partitions before it returns, since kafkajs fetches right after it. */
  onJoined(assigned: readonly TopicPartition[]): void {
    const generation = ++this.#generation;
    const { scheduler, ingest, startOffsets } = this.#options;
    scheduler.dropAssignment();
    startOffsets.knownLogs.recordRevoked(ingest.ownedPartitions, assigned);
    ingest.assign(assigned);
    if (this.#state === "leaving") return;
    this.#setState("restoring", `Reading the start offsets of ${assigned.length} partitions`);
    this.#openAssignment(generation).catch((error: unknown) =>
      this.#options.onFatal(error instanceof Error ? error : new Error(String(error))),
    );
  }

  /**
   * The logs of some partitions were replaced or truncated: ends the assignment as before a join, and opens it again with
   * new start offsets. Does nothing while a join is under way, since the join does the same.
   */
  async restartAssignment(replaced: readonly OwnedPartition[]): Promise<void> {
    if (this.#state !== "owner") return;
    const { ingest, startOffsets, drainTimeoutMs } = this.#options;
    startOffsets.knownLogs.recordReplaced(replaced);
    const generation = await this.#endAssignment("restoring", {
      detail: "A log was replaced; restarting the assignment",
      drainTimeoutMs: drainTimeoutMs.join,
    });
    if (generation === this.#generation)
      this.onJoined(ingest.ownedPartitions.map(({ topic, partition }) => ({ topic, partition })));
  }

  /** Leaves for good: ends the assignment as before a join, and accepts no other. */
  async leave(): Promise<void> {
    const { leave: drainTimeoutMs } = this.#options.drainTimeoutMs;
    await this.#endAssignment("leaving", { detail: "Shutting down", drainTimeoutMs });
  }

  async #endAssignment(
    state: RebalanceState,
    { detail, drainTimeoutMs }: { readonly detail: string; readonly drainTimeoutMs: number },
  ): Promise<number> {
    const wasOwner = this.#state === "owner";
    const generation = ++this.#generation;
    if (this.#state !== "leaving") this.#setState(state, detail);
    if (wasOwner) this.#handover = this.#drainAndCommit(drainTimeoutMs);
    // A join and a leave may overlap. Neither may drop the assignment while the other still drains and commits it.
    await this.#handover;
    this.#options.scheduler.dropAssignment();
    return generation;
  }

  async #drainAndCommit(drainTimeoutMs: number): Promise<void> {
    const { ingest, scheduler, commits, abortCalls, pause } = this.#options;
    ingest.pauseAll();
    const drained = scheduler.drain();
    const isDrained = await Promise.race([drained.then(() => true), pause(drainTimeoutMs).then(() => false)]);
    if (!isDrained) {
      abortCalls();
      await Promise.race([drained, pause(abortTimeoutMs)]);
    }
    await Promise.race([commits.flush(), pause(commitTimeoutMs)]);
  }

  async #openAssignment(generation: number): Promise<void> {
    while (generation === this.#generation) {
      const startOffsets = await this.#readStartOffsets(generation);
      if (generation !== this.#generation) return;
      if (startOffsets) return this.#open(startOffsets);
      await this.#options.pause(retryPauseMs);
    }
  }

  #open({ byPartition, resets }: StartOffsets): void {
    const { ingest, startOffsets, onLogReset } = this.#options;
    for (const reset of resets) onLogReset(reset);
    ingest.open(byPartition);
    startOffsets.knownLogs.recordOpened(ingest.ownedPartitions);
    this.#setState("owner", `Reading ${byPartition.size} partitions`);
  }

  /** Returns undefined if the cluster does not answer. Answers and errors for an earlier assignment are ignored. */
  async #readStartOffsets(generation: number): Promise<StartOffsets | undefined> {
    try {
      return await readStartOffsets(this.#options.ingest.ownedPartitions, this.#options.startOffsets);
    } catch (error) {
      if (isProgrammingError(error)) throw error;
      if (generation !== this.#generation) return undefined;
      if (error instanceof StartRefusedError) throw error;
      this.#setState("restoring", `Cannot read the start offsets; retrying: ${String(error)}`);
      return undefined;
    }
  }

  /** Reports each change once, even if the same failure is retried every second. */
  #setState(state: RebalanceState, detail: string): void {
    const isSame = state === this.#state && detail === this.#detail;
    this.#state = state;
    this.#detail = detail;
    if (!isSame) this.#options.onState(state, detail);
  }
}
