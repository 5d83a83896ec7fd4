import { equalJitter } from "../core/outcome/backoff.ts";
import type { Decoder } from "../decoding/decoder.ts";

export interface SchemaWaitOptions {
  readonly load: Decoder["load"];
  readonly random: () => number;
  readonly schedule: (delayMs: number, callback: () => void) => void;
  /** The registry does not answer, or answers again: once per change. */
  readonly onHold: (change: { isHeld: boolean; error: string; heldMs: number }) => void;
  readonly now: () => number;
  /** A schema has been fetched, or is known not to exist: decoding can go on. */
  readonly onReady: () => void;
}

/** Fetches schemas on demand. While the registry does not answer, nothing is decoded and nothing is lost: it asks again. */
export class SchemaWait {
  readonly #options: SchemaWaitOptions;
  readonly #wanted = new Set<number>();
  /** The schemas that the registry did not answer for. */
  readonly #held = new Set<number>();
  #heldSince = 0;

  constructor(options: SchemaWaitOptions) {
    this.#options = options;
  }

  get isHeld(): boolean {
    return this.#held.size > 0;
  }

  /** Whether this schema is being fetched: what needs it has to wait. */
  isWanted(schemaId: number): boolean {
    return this.#wanted.has(schemaId);
  }

  want(schemaId: number): void {
    if (this.#wanted.has(schemaId)) return;
    this.#wanted.add(schemaId);
    void this.#ask(schemaId, 0);
  }

  async #ask(schemaId: number, attempt: number): Promise<void> {
    const result = await this.#options.load(schemaId);
    if (result.kind === "registry_down") {
      this.#hold(schemaId, result.error);
      const pause = { attempt, baseMs: 500, maxMs: 15_000, random: this.#options.random() };
      this.#options.schedule(equalJitter(pause), () => void this.#ask(schemaId, attempt + 1));
      return;
    }
    this.#wanted.delete(schemaId);
    this.#release(schemaId);
    this.#options.onReady();
  }

  #hold(schemaId: number, error: string): void {
    const isNew = !this.isHeld;
    this.#held.add(schemaId);
    if (!isNew) return;
    this.#heldSince = this.#options.now();
    this.#options.onHold({ isHeld: true, error, heldMs: 0 });
  }

  #release(schemaId: number): void {
    if (!this.#held.delete(schemaId) || this.isHeld) return;
    this.#options.onHold({ isHeld: false, error: "", heldMs: this.#options.now() - this.#heldSince });
  }
}
