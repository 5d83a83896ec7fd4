import { errorTypesOf } from "../kafka/error-types.ts";
import type { GroupConsumer } from "../kafka/group/consumer.ts";
import { isProgrammingError } from "../kafka/own-errors.ts";
import { maxMetadataChars } from "../offsets/completed-map.ts";
import type { OpenPartition } from "../pipeline/work-item.ts";

export interface CommitsOptions {
  readonly consumer: Pick<GroupConsumer, "commit">;
  readonly ownedPartitions: () => readonly OpenPartition[];
  readonly onError: (error: unknown) => void;
  /** The broker takes only metadata of about so many characters (`offset.metadata.max.bytes`): part of the map is left out. */
  readonly onMetadataShortened: (chars: number) => void;
}

/** So many errors in a row are no passing trouble of kafkajs. */
const maxProgrammingErrors = 5;

const isMetadataTooLarge = (error: unknown): boolean => errorTypesOf(error).includes("OFFSET_METADATA_TOO_LARGE");

/**
 * Commits what is finished: one commit at a time, computed anew each time, never repeated by us with old values. What kafkajs
 * repeats by itself is stopped by the coordinator's fence as soon as the group has joined anew.
 */
export class Commits {
  readonly #options: CommitsOptions;
  #running: Promise<void> | undefined;
  /** As far as is known, a broker takes metadata of so many characters. */
  #maxChars = maxMetadataChars;
  #reportedMaxChars = maxMetadataChars;
  #programmingErrors = 0;

  constructor(options: CommitsOptions) {
    this.#options = options;
  }

  /** Nothing is finished that the broker has not confirmed. */
  get isAllCommitted(): boolean {
    return this.#options.ownedPartitions().every(({ tracker }) => tracker.isFullyCommitted(this.#maxChars));
  }

  /** Commits once; joins the one under way if there is one. */
  commitNow(): Promise<void> {
    this.#running ??= this.#commitOnce().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  /** Commits what is finished at this moment, after the one under way. */
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
      const longest = Math.max(...entries.map(({ commit }) => commit.metadata.length));
      if (!isMetadataTooLarge(error) || longest === 0) return this.#onFailure(error);
      // The broker may have committed the other partitions of the request; they are committed again with the same.
      this.#maxChars = Math.floor(longest / 2);
      return this.#commitOnce();
    }
  }

  /** A mistake of this program that comes again and again is reported as one; a single one may be kafkajs's, if a broker goes. */
  #onFailure(error: unknown): void {
    this.#programmingErrors = isProgrammingError(error) ? this.#programmingErrors + 1 : 0;
    const isTransient = this.#programmingErrors > 0 && this.#programmingErrors < maxProgrammingErrors;
    this.#options.onError(isTransient ? new Error(`Cannot commit: ${String(error)}`) : error);
  }

  /** Once it is known what the broker takes. */
  #reportShortened(): void {
    if (this.#maxChars === this.#reportedMaxChars) return;
    this.#reportedMaxChars = this.#maxChars;
    this.#options.onMetadataShortened(this.#maxChars);
  }
}
