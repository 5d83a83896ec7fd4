export interface SessionGuardOptions {
  /** The group gives a member's partitions to others if it gets no heartbeat from the member for this long. */
  readonly sessionTimeoutMs: number;
  /** The longest time that a call to Gainsight may take. */
  readonly callTimeoutMs: number;
  /** The wall clock: milliseconds since 1970. */
  readonly wallNow: () => number;
  /** A monotonic clock in milliseconds. It may stand still while the machine sleeps. */
  readonly monotonicNow: () => number;
  /** The session is about to end, or the group answers again. Called once per change, from `check` and from `onHeartbeat`. */
  readonly onChange: (isAlive: boolean) => void;
  /** The first heartbeat after `isExpired` was true: calls may start again. Called whether or not `check` has noticed the expiry. */
  readonly onRecovered: () => void;
}

/**
 * Keeps a member from starting calls that could outlast its session. A member that is cut off from the group is not told that others
 * own its partitions, so it starts no call that could still run at the end of its session, and never overlaps with the next owner.
 */
export class SessionGuard {
  readonly #options: SessionGuardOptions;
  #heartbeatAtWallMs: number;
  #heartbeatAtMonotonicMs: number;
  #isExpiryReported = false;

  constructor(options: SessionGuardOptions) {
    this.#options = options;
    this.#heartbeatAtWallMs = options.wallNow();
    this.#heartbeatAtMonotonicMs = options.monotonicNow();
  }

  /** Whether a call that starts now could outlast the session. */
  get isExpired(): boolean {
    const { sessionTimeoutMs, callTimeoutMs } = this.#options;
    return this.#sinceHeartbeatMs() >= sessionTimeoutMs - callTimeoutMs;
  }

  /** Call it about once a second while the member owns partitions: it reports an expiry. */
  check(): void {
    if (this.#isExpiryReported || !this.isExpired) return;
    this.#isExpiryReported = true;
    this.#options.onChange(false);
  }

  /** The group has answered a heartbeat, a commit or a join. */
  onHeartbeat(): void {
    const wasExpired = this.isExpired;
    this.#heartbeatAtWallMs = this.#options.wallNow();
    this.#heartbeatAtMonotonicMs = this.#options.monotonicNow();
    if (this.#isExpiryReported) {
      this.#isExpiryReported = false;
      this.#options.onChange(true);
    }
    if (wasExpired) this.#options.onRecovered();
  }

  /** The longer of two times: one clock may have been set back, and the other may have stood still. */
  #sinceHeartbeatMs(): number {
    const { wallNow, monotonicNow } = this.#options;
    return Math.max(wallNow() - this.#heartbeatAtWallMs, monotonicNow() - this.#heartbeatAtMonotonicMs);
  }
}
