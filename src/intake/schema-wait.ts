import { equalJitter } from "../core/outcome/backoff.ts";
import type { Decoder } from "../decoding/decoder.ts";

export interface SchemaWaitOptions {
  readonly load: Decoder["loadSchema"];
  readonly random: () => number;
  readonly schedule: (delayMs: number, callback: () => void) => void;
  /**
   * The registry does not answer, or answers again. Called once per change; `heldMs` is the length of the hold that has
   * ended.
   */
  readonly onHold: (change: { isHeld: boolean; error: string; heldMs: number }) => void;
  readonly monotonicNow: () => number;
  /** A schema has been fetched, or is known not to exist: decoding can continue. */
  readonly onLoaded: () => void;
}

/**
 * Fetches schemas from the registry on demand. If the registry does not answer, retries with growing pauses; the records
 * wait.
 */
export class SchemaWait {
  readonly #options: SchemaWaitOptions;
  readonly #pending = new Set<number>();
  /** The schemas that the registry did not answer for. */
  readonly #unanswered = new Set<number>();
  #heldSince = 0;

  constructor(options: SchemaWaitOptions) {
    this.#options = options;
  }

  /** Whether the registry does not answer. */
  get isHeld(): boolean {
    return this.#unanswered.size > 0;
  }

  /** Whether this schema is being fetched: records that need it have to wait. */
  isPending(schemaId: number): boolean {
    return this.#pending.has(schemaId);
  }

  /** Starts to fetch a schema, unless it is being fetched already. */
  request(schemaId: number): void {
    if (this.#pending.has(schemaId)) return;
    this.#pending.add(schemaId);
    void this.#load(schemaId, 0);
  }

  async #load(schemaId: number, attempt: number): Promise<void> {
    const result = await this.#options.load(schemaId);
    if (result.kind === "registry_down") {
      this.#hold(schemaId, result.error);
      const pause = { attempt, baseMs: 500, maxMs: 15_000, random: this.#options.random() };
      this.#options.schedule(equalJitter(pause), () => void this.#load(schemaId, attempt + 1));
      return;
    }
    this.#pending.delete(schemaId);
    this.#release(schemaId);
    this.#options.onLoaded();
  }

  #hold(schemaId: number, error: string): void {
    const isNew = !this.isHeld;
    this.#unanswered.add(schemaId);
    if (!isNew) return;
    this.#heldSince = this.#options.monotonicNow();
    this.#options.onHold({ isHeld: true, error, heldMs: 0 });
  }

  #release(schemaId: number): void {
    if (!this.#unanswered.delete(schemaId) || this.isHeld) return;
    this.#options.onHold({ isHeld: false, error: "", heldMs: this.#options.monotonicNow() - this.#heldSince });
  }
}
