import type { Inlet } from "../stream/assignment.ts";
import type { GroupConsumer } from "./consumer.ts";

export interface CommitsOptions {
  readonly consumer: Pick<GroupConsumer, "commit">;
  readonly inlets: () => readonly Inlet[];
  readonly onError: (error: unknown) => void;
}

/**
 * Commits what is finished: one commit at a time, computed anew each time, never repeated by us with old values. What kafkajs
 * repeats by itself is stopped by the coordinator's fence as soon as the group has joined anew.
 */
export class Commits {
  readonly #options: CommitsOptions;
  #running: Promise<void> | undefined;

  constructor(options: CommitsOptions) {
    this.#options = options;
  }

  /** Nothing is finished that the broker has not confirmed. */
  get isAllCommitted(): boolean {
    return this.#options.inlets().every(({ tracker }) => tracker.pending() === undefined);
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
      const commit = inlet.tracker.pending();
      return commit ? [{ inlet, commit }] : [];
    });
    if (entries.length === 0) return;
    try {
      const list = entries.map(({ inlet, commit }) => ({ topic: inlet.topic, partition: inlet.partition, ...commit }));
      const isConfirmed = await this.#options.consumer.commit(list);
      if (isConfirmed) for (const { inlet, commit } of entries) inlet.tracker.committed(commit);
    } catch (error) {
      this.#options.onError(error);
    }
  }
}
