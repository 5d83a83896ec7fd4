import { typesOf } from "../kafka/error-types.ts";
import type { GroupConsumer } from "../kafka/group/consumer.ts";
import { isOwnError } from "../kafka/own-errors.ts";
import { maxChars } from "../offsets/completed-map.ts";
import type { Inlet } from "../pipeline/work-item.ts";

export interface CommitsOptions {
  readonly consumer: Pick<GroupConsumer, "commit">;
  readonly inlets: () => readonly Inlet[];
  readonly onError: (error: unknown) => void;
  /** The broker takes only metadata of about so many characters (`offset.metadata.max.bytes`): part of the map is left out. */
  readonly onShortened: (chars: number) => void;
}

/** So many errors in a row are no passing trouble of kafkajs. */
const maxMistakes = 5;

const isTooLong = (error: unknown): boolean => typesOf(error).includes("OFFSET_METADATA_TOO_LARGE");

/**
 * Commits what is finished: one commit at a time, computed anew each time, never repeated by us with old values. What kafkajs
 * repeats by itself is stopped by the coordinator's fence as soon as the group has joined anew.
 */
export class Commits {
  readonly #options: CommitsOptions;
  #running: Promise<void> | undefined;
  /** As far as is known, a broker takes metadata of so many characters. */
  #maxChars = maxChars;
  #toldOf = maxChars;
  #mistakes = 0;

  constructor(options: CommitsOptions) {
    this.#options = options;
  }

  /** Nothing is finished that the broker has not confirmed. */
  get isAllCommitted(): boolean {
    return this.#options.inlets().every(({ tracker }) => tracker.isCommitted(this.#maxChars));
  }

  /** Commits once; joins the one under way if there is one. */
  run(): Promise<void> {
    this.#running ??= this.#once().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  /** Commits what is finished at this moment, after the one under way. */
  async flush(): Promise<void> {
    await this.#running;
    await this.run();
  }

  async #once(): Promise<void> {
    const entries = this.#options.inlets().flatMap((inlet) => {
      const commit = inlet.tracker.pending(this.#maxChars);
      return commit ? [{ inlet, commit }] : [];
    });
    if (entries.length === 0) return this.#tell();
    try {
      const list = entries.map(({ inlet, commit }) => ({ topic: inlet.topic, partition: inlet.partition, ...commit }));
      const isConfirmed = await this.#options.consumer.commit(list);
      this.#mistakes = 0;
      if (!isConfirmed) return;
      for (const { inlet, commit } of entries) inlet.tracker.committed(commit);
      this.#tell();
    } catch (error) {
      const longest = Math.max(...entries.map(({ commit }) => commit.metadata.length));
      if (!isTooLong(error) || longest === 0) return this.#failed(error);
      // The broker may have committed the other partitions of the request; they are committed again with the same.
      this.#maxChars = Math.floor(longest / 2);
      return this.#once();
    }
  }

  /** A mistake of this program that comes again and again is reported as one; a single one may be kafkajs's, if a broker goes. */
  #failed(error: unknown): void {
    this.#mistakes = isOwnError(error) ? this.#mistakes + 1 : 0;
    const isPassing = this.#mistakes > 0 && this.#mistakes < maxMistakes;
    this.#options.onError(isPassing ? new Error(`Cannot commit: ${String(error)}`) : error);
  }

  /** Once it is known what the broker takes. */
  #tell(): void {
    if (this.#maxChars === this.#toldOf) return;
    this.#toldOf = this.#maxChars;
    this.#options.onShortened(this.#maxChars);
  }
}
