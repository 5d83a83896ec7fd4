export interface ContactOptions {
  /** How long the group may go without hearing of a member before it gives its partitions to another. */
  readonly sessionTimeoutMs: number;
  /** How long a call may take. */
  readonly callTimeoutMs: number;
  readonly now: () => number;
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
  #isLost = false;

  constructor(options: ContactOptions) {
    this.#options = options;
    this.#heardAt = options.now();
  }

  /** A heartbeat, a commit or a join has been answered. */
  heard(): void {
    this.#heardAt = this.#options.now();
    if (this.#isLost) this.#set(false);
  }

  /** Whether a call may still start. */
  get isLost(): boolean {
    const { sessionTimeoutMs, callTimeoutMs, now } = this.#options;
    const silentMs = now() - this.#heardAt;
    // A clock that was set back tells nothing: until the next answer, a second away, the worst is assumed.
    const isLost = silentMs < 0 || silentMs >= sessionTimeoutMs - callTimeoutMs;
    if (isLost && !this.#isLost) this.#set(true);
    return isLost;
  }

  #set(isLost: boolean): void {
    this.#isLost = isLost;
    this.#options.onChange(!isLost);
  }
}
