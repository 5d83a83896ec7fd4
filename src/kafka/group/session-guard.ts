export interface SessionGuardOptions {
  /** How long the group may go without hearing of a member before it gives its partitions to another. */
  readonly sessionTimeoutMs: number;
  /** How long a call may take. */
  readonly callTimeoutMs: number;
  /** Milliseconds since 1970. */
  readonly wallNow: () => number;
  /** Milliseconds by a clock that nobody can set, but that stands still while the machine sleeps. */
  readonly monotonicNow: () => number;
  /** Contact was lost, or is there again: once per change. */
  readonly onChange: (isAlive: boolean) => void;
}

/**
 * Whether the group still hears of this member. One that is cut off may be replaced when its session ends, and nobody tells
 * it: so it starts no call that could still run by then, and cannot overlap with the new owner.
 */
export class SessionGuard {
  readonly #options: SessionGuardOptions;
  #heartbeatAtWallMs: number;
  #heartbeatAtMonotonicMs: number;
  #isExpired = false;

  constructor(options: SessionGuardOptions) {
    this.#options = options;
    this.#heartbeatAtWallMs = options.wallNow();
    this.#heartbeatAtMonotonicMs = options.monotonicNow();
  }

  /** A heartbeat, a commit or a join has been answered. */
  onHeartbeat(): void {
    this.#heartbeatAtWallMs = this.#options.wallNow();
    this.#heartbeatAtMonotonicMs = this.#options.monotonicNow();
    if (this.#isExpired) this.#setExpired(false);
  }

  /** Whether a call may still start. */
  get isExpired(): boolean {
    const { sessionTimeoutMs, callTimeoutMs } = this.#options;
    const isExpired = this.#sinceHeartbeatMs() >= sessionTimeoutMs - callTimeoutMs;
    if (isExpired && !this.#isExpired) this.#setExpired(true);
    return isExpired;
  }

  /** The longer of two: one clock may have been set back, the other may have stood still. */
  #sinceHeartbeatMs(): number {
    const { wallNow, monotonicNow } = this.#options;
    return Math.max(wallNow() - this.#heartbeatAtWallMs, monotonicNow() - this.#heartbeatAtMonotonicMs);
  }

  #setExpired(isExpired: boolean): void {
    this.#isExpired = isExpired;
    this.#options.onChange(!isExpired);
  }
}
