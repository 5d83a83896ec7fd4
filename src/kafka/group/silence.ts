export interface ConsumerWatchdogOptions {
  /** How long the consumer may get no answer, in milliseconds, while others get theirs: longer than any join may take. */
  readonly timeoutMs: number;
  /** Milliseconds by a clock that nobody can set. */
  readonly monotonicNow: () => number;
}

/** A process that was stopped for a while has not been silent. */
const maxTickMs = 5_000;
/** The cluster counts as answering for so long after an answer: one of its brokers may cost a request its whole time-out. */
const clusterAliveMs = 60_000;
const probeAfterMs = 15_000;
/** A fetch that ends sooner than its time-out was answered or refused, even if it failed. */
const quickFetchMs = 20_000;

/**
 * Whether the consumer has died silently: for minutes the brokers answer neither its fetches nor its heartbeats, although they
 * answer other connections of this process. If nobody is answered it is the cluster's outage, and time does not count.
 */
export class ConsumerWatchdog {
  readonly #options: ConsumerWatchdogOptions;
  #checkedAt: number;
  #clusterResponseAt: number;
  /** Milliseconds during which the cluster was answering; everything below is measured in them. */
  #countedMs = 0;
  #groupResponseAt: number | undefined;
  /** By broker; undefined while the consumer is joining, when nothing is fetched. */
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

  /** Whether nobody has been answered lately, so that somebody has to ask the cluster whether it answers at all. */
  get needsProbe(): boolean {
    return (
      this.#groupResponseAt !== undefined && this.#options.monotonicNow() - this.#clusterResponseAt >= probeAfterMs
    );
  }

  /** The broker that keeps the group has answered, be it with an error. */
  onGroupResponse(): void {
    if (this.#groupResponseAt !== undefined) this.#groupResponseAt = this.#countedMs;
  }

  /** The group's broker is being looked for, and answered for: heartbeats wait for it, and each fetch waits for its heartbeat. */
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

  /** To be called every second or so, with the brokers that the consumer knows: others need not be fetched from any more. */
  check(brokers: readonly string[]): void {
    const now = this.#options.monotonicNow();
    const tickMs = Math.min(Math.max(0, now - this.#checkedAt), maxTickMs);
    this.#checkedAt = now;
    if (now - this.#clusterResponseAt < clusterAliveMs) this.#countedMs += tickMs;
    for (const broker of this.#fetches?.keys() ?? []) if (!brokers.includes(broker)) this.#fetches?.delete(broker);
  }

  /** A sentence while the consumer is silent. */
  get problem(): string | undefined {
    const fetches = [...(this.#fetches ?? [])].map(([broker, { at }]) => [`no fetch by broker ${broker}`, at] as const);
    const activities = [["no heartbeat", this.#groupResponseAt ?? this.#countedMs] as const, ...fetches];
    const overdue = activities.filter(([, at]) => this.#countedMs - at >= this.#options.timeoutMs);
    if (overdue.length === 0) return undefined;
    const facts = overdue
      .map(([activity, at]) => `${activity} for ${Math.round((this.#countedMs - at) / 1_000)} s`)
      .join(", ");
    return `Kafka answers other connections but not the consumer's: ${facts}`;
  }
}
