import type { TopicPartition } from "../kafka/group/consumer.ts";
import { isOwnError } from "../kafka/own-errors.ts";
import type { Stream } from "../pipeline/pipeline.ts";
import type { Commits } from "./commits.ts";
import type { Intake } from "./ingest.ts";
import type { LogReset } from "./log-resets.ts";
import type { Feed } from "./owned-partition.ts";
import { StartRefused, type Starts, type StartsOptions, readStarts } from "./start-offsets.ts";

export interface MembershipOptions {
  readonly intake: Pick<Intake, "assign" | "restore" | "stop" | "feeds">;
  readonly stream: Pick<Stream, "stop" | "drop">;
  readonly commits: Pick<Commits, "flush">;
  readonly starts: StartsOptions;
  /** A log is not the one that the group or this member knew. */
  readonly onReset: (reset: LogReset) => void;
  /** How long work in flight may take to end, in milliseconds: before a join, well inside the session, and before leaving. */
  readonly drainLimitMs: { readonly join: number; readonly leave: number };
  readonly pause: (ms: number) => Promise<void>;
  /** Aborts the calls that have not ended in time. */
  readonly abort: () => void;
  readonly onState: (state: MembershipState, detail: string) => void;
  readonly onFatal: (error: Error) => void;
}

/** `joining`: between assignments; `restoring`: asking where to start; `owner`: at work; `leaving`: shutting down. */
export type MembershipState = "joining" | "restoring" | "owner" | "leaving";

const retryPauseMs = 1_000;
const commitLimitMs = 5_000;

/** The life of a member of the group: each join ends one assignment cleanly and begins the next from what is committed. */
export class Membership {
  readonly #options: MembershipOptions;
  #state: MembershipState = "joining";
  #detail = "";
  /** Counts joins: what was asked for an earlier one is answered too late. */
  #epoch = 0;
  #handingOver: Promise<void> | undefined;

  constructor(options: MembershipOptions) {
    this.#options = options;
  }

  get state(): MembershipState {
    return this.#state;
  }

  /** Before every join: nothing new starts, what is in flight ends, and all of it is committed by the old generation. */
  async beforeJoin(): Promise<void> {
    await this.#end("joining", { detail: "The group is joining", limitMs: this.#options.drainLimitMs.join });
  }

  /** After every join. Synchronous up to the point where everything is paused: the first fetch comes right after it. */
  joined(owned: readonly TopicPartition[]): void {
    const epoch = ++this.#epoch;
    const { stream, intake, starts } = this.#options;
    stream.drop();
    starts.known.left(intake.feeds, owned);
    intake.assign(owned);
    if (this.#state === "leaving") return;
    this.#set("restoring", `${owned.length} partitions`);
    this.#restore(epoch).catch((error: unknown) =>
      this.#options.onFatal(error instanceof Error ? error : new Error(String(error))),
    );
  }

  /**
   * The logs of some partitions are not those that were read from: ends the assignment as before a join, and begins it anew from what
   * is really there. Where a join is under way, that does it.
   */
  async beginAgain(over: readonly Feed[]): Promise<void> {
    if (this.#state !== "owner") return;
    const { intake, starts, drainLimitMs } = this.#options;
    starts.known.areOver(over);
    const epoch = await this.#end("restoring", { detail: "Beginning again", limitMs: drainLimitMs.join });
    if (epoch === this.#epoch) this.joined(intake.feeds.map(({ topic, partition }) => ({ topic, partition })));
  }

  /** Ends for good: as before a join, and nothing begins again. */
  async leave(): Promise<void> {
    await this.#end("leaving", { detail: "Shutting down", limitMs: this.#options.drainLimitMs.leave });
  }

  async #end(state: MembershipState, { detail, limitMs }: { detail: string; limitMs: number }): Promise<number> {
    const wasOwner = this.#state === "owner";
    const epoch = ++this.#epoch;
    if (this.#state !== "leaving") this.#set(state, detail);
    if (wasOwner) this.#handingOver = this.#handOver(limitMs);
    // The group may join while this member leaves, or the other way round: neither may drop what the other still waits for.
    await this.#handingOver;
    this.#options.stream.drop();
    return epoch;
  }

  async #handOver(limitMs: number): Promise<void> {
    const { intake, stream, commits, abort, pause } = this.#options;
    intake.stop();
    const idle = stream.stop();
    const isIdle = await Promise.race([idle.then(() => true), pause(limitMs).then(() => false)]);
    if (!isIdle) {
      abort();
      await Promise.race([idle, pause(retryPauseMs)]);
    }
    await Promise.race([commits.flush(), pause(commitLimitMs)]);
  }

  async #restore(epoch: number): Promise<void> {
    while (epoch === this.#epoch) {
      const answer = await this.#askStarts(epoch);
      if (epoch !== this.#epoch) return;
      if (answer) {
        const { starts, resets } = answer;
        for (const reset of resets) this.#options.onReset(reset);
        this.#options.intake.restore(starts);
        this.#options.starts.known.began(this.#options.intake.feeds);
        this.#set("owner", `${starts.size} partitions`);
        return;
      }
      await this.#options.pause(retryPauseMs);
    }
  }

  /** Undefined where the cluster does not answer. What it says to an earlier join, or fails to say, is nobody's matter any more. */
  async #askStarts(epoch: number): Promise<Starts | undefined> {
    try {
      return await readStarts(this.#options.intake.feeds, this.#options.starts);
    } catch (error) {
      if (isOwnError(error)) throw error;
      if (epoch !== this.#epoch) return undefined;
      if (error instanceof StartRefused) throw error;
      this.#set("restoring", `Cannot ask where to start: ${String(error)}`);
      return undefined;
    }
  }

  /** Tells each change once: what fails is tried again every second. */
  #set(state: MembershipState, detail: string): void {
    const isSame = state === this.#state && detail === this.#detail;
    this.#state = state;
    this.#detail = detail;
    if (!isSame) this.#options.onState(state, detail);
  }
}
