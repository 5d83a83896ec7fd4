export interface ContactOptions {
  /** How long the group may go without hearing of a member before it gives its partitions to another. */
  readonly sessionTimeoutMs: number;
  /** How long a call may take. */
  readonly callTimeoutMs: number;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Milliseconds by a clock that nobody can set, but that stands still while the machine sleeps. */
  readonly monotonic: () => number;
  /** Contact was lost, or is there again: once per change. */
  readonly onChange: (hasContact: boolean) => void;
}

/**
 * Whether the group still hears of this member. One that is cut off may be replaced when its session ends, and nobody tells
 * it: so it starts no call that could still run by then, and cannot overlap with the new owner.
 */
export class Contact {
  readonly #options: ContactOptions;
  #heardAt: number;
  #heardAtMonotonic: number;
  #isLost = false;

  constructor(options: ContactOptions) {
    this.#options = options;
    this.#heardAt = options.now();
    this.#heardAtMonotonic = options.monotonic();
  }

  /** A heartbeat, a commit or a join has been answered. */
  heard(): void {
    this.#heardAt = this.#options.now();
    this.#heardAtMonotonic = this.#options.monotonic();
    if (this.#isLost) this.#set(false);
  }

  /** Whether a call may still start. */
  get isLost(): boolean {
    const { sessionTimeoutMs, callTimeoutMs } = this.#options;
    const isLost = this.#silentMs() >= sessionTimeoutMs - callTimeoutMs;
    if (isLost && !this.#isLost) this.#set(true);
    return isLost;
  }

  /** The longer of two: one clock may have been set back, the other may have stood still. */
  #silentMs(): number {
    const { now, monotonic } = this.#options;
    return Math.max(now() - this.#heardAt, monotonic() - this.#heardAtMonotonic);
  }

  #set(isLost: boolean): void {
    this.#isLost = isLost;
    this.#options.onChange(!isLost);
  }
}
