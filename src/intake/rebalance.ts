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
  /** A log is not the one that the group or this member knew. */
  readonly onLogReset: (reset: LogReset) => void;
  /** How long work in flight may take to end, in milliseconds: before a join, well inside the session, and before leaving. */
  readonly drainTimeoutMs: { readonly join: number; readonly leave: number };
  readonly pause: (ms: number) => Promise<void>;
  /** Aborts the calls that have not ended in time. */
  readonly abortCalls: () => void;
  readonly onState: (state: RebalanceState, detail: string) => void;
  readonly onFatal: (error: Error) => void;
}

/** `joining`: between assignments; `restoring`: asking where to start; `owner`: at work; `leaving`: shutting down. */
export type RebalanceState = "joining" | "restoring" | "owner" | "leaving";

const retryPauseMs = 1_000;
const commitTimeoutMs = 5_000;

/** The life of a member of the group: each join ends one assignment cleanly and begins the next from what is committed. */
export class RebalanceHandler {
  readonly #options: RebalanceHandlerOptions;
  #state: RebalanceState = "joining";
  #detail = "";
  /** Counts joins: what was asked for an earlier one is answered too late. */
  #generation = 0;
  #handover: Promise<void> | undefined;

  constructor(options: RebalanceHandlerOptions) {
    this.#options = options;
  }

  get state(): RebalanceState {
    return this.#state;
  }

  /** Before every join: nothing new starts, what is in flight ends, and all of it is committed by the old generation. */
  async beforeJoin(): Promise<void> {
    await this.#endAssignment("joining", {
      detail: "The group is joining",
      limitMs: this.#options.drainTimeoutMs.join,
    });
  }

  /** After every join. Synchronous up to the point where everything is paused: the first fetch comes right after it. */
  onJoined(assigned: readonly TopicPartition[]): void {
    const generation = ++this.#generation;
    const { scheduler, ingest, startOffsets } = this.#options;
    scheduler.dropAssignment();
    startOffsets.knownLogs.recordRevoked(ingest.ownedPartitions, assigned);
    ingest.assign(assigned);
    if (this.#state === "leaving") return;
    this.#setState("restoring", `${assigned.length} partitions`);
    this.#openAssignment(generation).catch((error: unknown) =>
      this.#options.onFatal(error instanceof Error ? error : new Error(String(error))),
    );
  }

  /**
   * The logs of some partitions are not those that were read from: ends the assignment as before a join, and begins it anew from what
   * is really there. Where a join is under way, that does it.
   */
  async restartAssignment(replaced: readonly OwnedPartition[]): Promise<void> {
    if (this.#state !== "owner") return;
    const { ingest, startOffsets, drainTimeoutMs } = this.#options;
    startOffsets.knownLogs.recordReplaced(replaced);
    const generation = await this.#endAssignment("restoring", {
      detail: "Beginning again",
      limitMs: drainTimeoutMs.join,
    });
    if (generation === this.#generation)
      this.onJoined(ingest.ownedPartitions.map(({ topic, partition }) => ({ topic, partition })));
  }

  /** Ends for good: as before a join, and nothing begins again. */
  async leave(): Promise<void> {
    await this.#endAssignment("leaving", { detail: "Shutting down", limitMs: this.#options.drainTimeoutMs.leave });
  }

  async #endAssignment(
    state: RebalanceState,
    { detail, limitMs: timeoutMs }: { detail: string; limitMs: number },
  ): Promise<number> {
    const wasOwner = this.#state === "owner";
    const generation = ++this.#generation;
    if (this.#state !== "leaving") this.#setState(state, detail);
    if (wasOwner) this.#handover = this.#drainAndCommit(timeoutMs);
    // The group may join while this member leaves, or the other way round: neither may drop what the other still waits for.
    await this.#handover;
    this.#options.scheduler.dropAssignment();
    return generation;
  }

  async #drainAndCommit(timeoutMs: number): Promise<void> {
    const { ingest, scheduler, commits, abortCalls, pause } = this.#options;
    ingest.pauseAll();
    const drained = scheduler.drain();
    const isDrained = await Promise.race([drained.then(() => true), pause(timeoutMs).then(() => false)]);
    if (!isDrained) {
      abortCalls();
      await Promise.race([drained, pause(retryPauseMs)]);
    }
    await Promise.race([commits.flush(), pause(commitTimeoutMs)]);
  }

  async #openAssignment(generation: number): Promise<void> {
    while (generation === this.#generation) {
      const result = await this.#readStartOffsets(generation);
      if (generation !== this.#generation) return;
      if (result) {
        const { byPartition: startOffsets, resets } = result;
        for (const reset of resets) this.#options.onLogReset(reset);
        this.#options.ingest.open(startOffsets);
        this.#options.startOffsets.knownLogs.recordOpened(this.#options.ingest.ownedPartitions);
        this.#setState("owner", `${startOffsets.size} partitions`);
        return;
      }
      await this.#options.pause(retryPauseMs);
    }
  }

  /** Undefined where the cluster does not answer. What it says to an earlier join, or fails to say, is nobody's matter any more. */
  async #readStartOffsets(generation: number): Promise<StartOffsets | undefined> {
    try {
      return await readStartOffsets(this.#options.ingest.ownedPartitions, this.#options.startOffsets);
    } catch (error) {
      if (isProgrammingError(error)) throw error;
      if (generation !== this.#generation) return undefined;
      if (error instanceof StartRefusedError) throw error;
      this.#setState("restoring", `Cannot ask where to start: ${String(error)}`);
      return undefined;
    }
  }

  /** Tells each change once: what fails is tried again every second. */
  #setState(state: RebalanceState, detail: string): void {
    const isSame = state === this.#state && detail === this.#detail;
    this.#state = state;
    this.#detail = detail;
    if (!isSame) this.#options.onState(state, detail);
  }
}
