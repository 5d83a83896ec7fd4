import { errorTypesOf } from "../kafka/error-types.ts";
import type { GroupConsumer } from "../kafka/group/consumer.ts";
import { isProgrammingError } from "../kafka/own-errors.ts";
import { maxMetadataChars } from "../offsets/completed-map.ts";
import type { OpenPartition } from "../pipeline/work-item.ts";

export interface CommitsOptions {
  readonly consumer: Pick<GroupConsumer, "commit">;
  readonly ownedPartitions: () => readonly OpenPartition[];
  readonly onError: (error: unknown) => void;
  /**
   * The broker accepts only about this many characters of metadata (`offset.metadata.max.bytes`), so part of the
   * completed-offset map is left out.
   */
  readonly onMetadataShortened: (chars: number) => void;
}

/** kafkajs may throw a `TypeError` once when a broker disconnects. This many in a row are a bug in this program. */
const maxProgrammingErrors = 5;

const isMetadataTooLarge = (error: unknown): boolean => errorTypesOf(error).includes("OFFSET_METADATA_TOO_LARGE");

/**
 * Commits completed offsets. Only one commit is in flight at a time, and each is computed from the present state: old
 * values are never sent again. kafkajs may retry a request by itself; the coordinator proxy stops such retries once the
 * group has joined again.
 */
export class Commits {
  readonly #options: CommitsOptions;
  #running: Promise<void> | undefined;
  /** The longest metadata that the broker accepts, as far as is known. */
  #maxChars = maxMetadataChars;
  #reportedMaxChars = maxMetadataChars;
  #programmingErrors = 0;

  constructor(options: CommitsOptions) {
    this.#options = options;
  }

  /** Whether the broker has confirmed everything that is completed. */
  get isAllCommitted(): boolean {
    return this.#options.ownedPartitions().every(({ tracker }) => tracker.isFullyCommitted(this.#maxChars));
  }

  /** Commits once. If a commit is in flight, waits for that one instead. */
  commitNow(): Promise<void> {
    this.#running ??= this.#commitOnce().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  /** Waits for a commit in flight, then commits everything that is completed by then. */
  async flush(): Promise<void> {
    await this.#running;
    await this.commitNow();
  }

  async #commitOnce(): Promise<void> {
    const entries = this.#options.ownedPartitions().flatMap((owned) => {
      const commit = owned.tracker.nextCommit(this.#maxChars);
      return commit ? [{ owned, commit }] : [];
    });
    if (entries.length === 0) return this.#reportShortened();
    try {
      const commits = entries.map(({ owned, commit }) => ({
        topic: owned.topic,
        partition: owned.partition,
        ...commit,
      }));
      const isConfirmed = await this.#options.consumer.commit(commits);
      this.#programmingErrors = 0;
      if (!isConfirmed) return;
      for (const { owned, commit } of entries) owned.tracker.confirm(commit);
      this.#reportShortened();
    } catch (error) {
      const longestMetadata = Math.max(...entries.map(({ commit }) => commit.metadata.length));
      if (!isMetadataTooLarge(error) || longestMetadata === 0) return this.#onFailure(error);
      // The broker may have committed the other partitions of the request. Committing them again changes nothing.
      this.#maxChars = Math.floor(longestMetadata / 2);
      return this.#commitOnce();
    }
  }

  /** A single programming error may come from kafkajs when a broker disconnects, so it is reported as transient at first. */
  #onFailure(error: unknown): void {
    this.#programmingErrors = isProgrammingError(error) ? this.#programmingErrors + 1 : 0;
    const isTransient = this.#programmingErrors > 0 && this.#programmingErrors < maxProgrammingErrors;
    this.#options.onError(isTransient ? new Error(`Cannot commit: ${String(error)}`) : error);
  }

  /** Reports a shorter limit once, after a commit within it has succeeded. */
  #reportShortened(): void {
    if (this.#maxChars === this.#reportedMaxChars) return;
    this.#reportedMaxChars = this.#maxChars;
    this.#options.onMetadataShortened(this.#maxChars);
  }
}
