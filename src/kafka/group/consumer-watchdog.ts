export interface ConsumerWatchdogOptions {
  /**
   * How many milliseconds the consumer may get no answer while other connections get theirs. Must be longer than any join of the group
   * takes.
   */
  readonly timeoutMs: number;
  /** A monotonic clock in milliseconds. */
  readonly monotonicNow: () => number;
}

/** A longer time between two checks counts as this: the process was suspended, and nobody could answer it. */
const maxTickMs = 5_000;
/** The cluster counts as available for this long after an answer: while one broker is down, a request may wait its whole time-out. */
const clusterAliveMs = 60_000;
const probeAfterMs = 15_000;
/** A fetch that ends sooner than its time-out was answered or refused, even if it failed. */
const quickFetchMs = 20_000;

/**
 * Detects a consumer that has died without an error: for minutes the brokers answer neither its fetches nor its heartbeats, although
 * they answer other connections of this process. Time in which no connection gets an answer does not count: then the cluster is down.
 */
export class ConsumerWatchdog {
  readonly #options: ConsumerWatchdogOptions;
  #checkedAt: number;
  #clusterResponseAt: number;
  /** For how many milliseconds the cluster has been available; the times below are on this scale. */
  #countedMs = 0;
  #groupResponseAt: number | undefined;
  /** The last fetch from each broker; undefined while the consumer joins the group, since it does not fetch then. */
  #fetches: Map<string, { at: number; startedAt: number }> | undefined;

  constructor(options: ConsumerWatchdogOptions) {
    this.#options = options;
    this.#checkedAt = options.monotonicNow();
    this.#clusterResponseAt = options.monotonicNow();
  }

  /** A broker has answered any connection of this process. */
  onClusterResponse(): void {
    this.#clusterResponseAt = this.#options.monotonicNow();
  }

  /** Whether no broker has answered lately, so that the caller should send a request to find out if the cluster answers at all. */
  get needsProbe(): boolean {
    return (
      this.#groupResponseAt !== undefined && this.#options.monotonicNow() - this.#clusterResponseAt >= probeAfterMs
    );
  }

  /** The group's coordinator has answered, with an error or without. */
  onGroupResponse(): void {
    if (this.#groupResponseAt !== undefined) this.#groupResponseAt = this.#countedMs;
  }

  /** A broker has said which broker is the coordinator. Heartbeats wait for that, and each fetch waits for its heartbeat. */
  onCoordinatorLookup(): void {
    this.onGroupResponse();
    for (const fetch of this.#fetches?.values() ?? []) fetch.at = this.#countedMs;
  }

  onJoined(): void {
    this.#groupResponseAt = this.#countedMs;
    this.#fetches = new Map();
  }

  onJoining(): void {
    this.#fetches = undefined;
  }

  onFetchStarted(broker: string): void {
    const now = this.#options.monotonicNow();
    const previous = this.#fetches?.get(broker);
    const isQuick = previous !== undefined && now - previous.startedAt < quickFetchMs;
    const at = previous && !isQuick ? previous.at : this.#countedMs;
    this.#fetches?.set(broker, { at, startedAt: now });
  }

  onFetched(broker: string): void {
    this.#fetches?.set(broker, { at: this.#countedMs, startedAt: this.#options.monotonicNow() });
  }

  /** Call it about once a second, with the brokers that the consumer knows: it need not fetch from any other broker. */
  check(brokers: readonly string[]): void {
    const now = this.#options.monotonicNow();
    const tickMs = Math.min(Math.max(0, now - this.#checkedAt), maxTickMs);
    this.#checkedAt = now;
    if (now - this.#clusterResponseAt < clusterAliveMs) this.#countedMs += tickMs;
    for (const broker of this.#fetches?.keys() ?? []) if (!brokers.includes(broker)) this.#fetches?.delete(broker);
  }

  /** A sentence if the consumer gets no answers; otherwise undefined. */
  get problem(): string | undefined {
    const fetches = [...(this.#fetches ?? [])].map(
      ([broker, { at }]) => [`no fetch from broker ${broker}`, at] as const,
    );
    const activities = [["no heartbeat", this.#groupResponseAt ?? this.#countedMs] as const, ...fetches];
    const overdue = activities.filter(([, at]) => this.#countedMs - at >= this.#options.timeoutMs);
    if (overdue.length === 0) return undefined;
    const facts = overdue
      .map(([activity, at]) => `${activity} for ${Math.round((this.#countedMs - at) / 1_000)} s`)
      .join(", ");
    return `Kafka answers other connections but not the consumer's: ${facts}`;
  }
}
