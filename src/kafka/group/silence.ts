export interface SilenceOptions {
  /** How long the consumer may get no answer, in milliseconds, while others get theirs: longer than any join may take. */
  readonly limitMs: number;
  /** Milliseconds by a clock that nobody can set. */
  readonly now: () => number;
}

/** A process that was stopped for a while has not been silent. */
const maxStepMs = 5_000;
/** The cluster counts as answering for so long after an answer: one of its brokers may cost a request its whole time-out. */
const answeringMs = 60_000;
const doubtMs = 15_000;
/** A fetch that ends sooner than its time-out was answered or refused, even if it failed. */
const quickMs = 20_000;

/**
 * Whether the consumer has died silently: for minutes the brokers answer neither its fetches nor its heartbeats, although they
 * answer other connections of this process. If nobody is answered it is the cluster's outage, and time does not count.
 */
export class Silence {
  readonly #options: SilenceOptions;
  #checkedAt: number;
  #clusterAnsweredAt: number;
  /** Milliseconds during which the cluster was answering; everything below is measured in them. */
  #elapsedMs = 0;
  #groupAnsweredAt: number | undefined;
  /** By broker; undefined while the consumer is joining, when nothing is fetched. */
  #fetches: Map<string, { at: number; startedAt: number }> | undefined;

  constructor(options: SilenceOptions) {
    this.#options = options;
    this.#checkedAt = options.now();
    this.#clusterAnsweredAt = options.now();
  }

  /** A broker has answered any connection of this process. */
  clusterAnswered(): void {
    this.#clusterAnsweredAt = this.#options.now();
  }

  /** Whether nobody has been answered lately, so that somebody has to ask the cluster whether it answers at all. */
  get isInDoubt(): boolean {
    return this.#groupAnsweredAt !== undefined && this.#options.now() - this.#clusterAnsweredAt >= doubtMs;
  }

  /** The broker that keeps the group has answered, be it with an error. */
  groupAnswered(): void {
    if (this.#groupAnsweredAt !== undefined) this.#groupAnsweredAt = this.#elapsedMs;
  }

  /** The group's broker is being looked for, and answered for: heartbeats wait for it, and each fetch waits for its heartbeat. */
  searched(): void {
    this.groupAnswered();
    for (const fetch of this.#fetches?.values() ?? []) fetch.at = this.#elapsedMs;
  }

  joined(): void {
    this.#groupAnsweredAt = this.#elapsedMs;
    this.#fetches = new Map();
  }

  joining(): void {
    this.#fetches = undefined;
  }

  fetchStarted(broker: string): void {
    const now = this.#options.now();
    const before = this.#fetches?.get(broker);
    const isQuick = before !== undefined && now - before.startedAt < quickMs;
    const at = before && !isQuick ? before.at : this.#elapsedMs;
    this.#fetches?.set(broker, { at, startedAt: now });
  }

  fetched(broker: string): void {
    this.#fetches?.set(broker, { at: this.#elapsedMs, startedAt: this.#options.now() });
  }

  /** To be called every second or so, with the brokers that the consumer knows: others need not be fetched from any more. */
  check(brokers: readonly string[]): void {
    const now = this.#options.now();
    const stepMs = Math.min(Math.max(0, now - this.#checkedAt), maxStepMs);
    this.#checkedAt = now;
    if (now - this.#clusterAnsweredAt < answeringMs) this.#elapsedMs += stepMs;
    for (const broker of this.#fetches?.keys() ?? []) if (!brokers.includes(broker)) this.#fetches?.delete(broker);
  }

  /** A sentence while the consumer is silent. */
  get sentence(): string | undefined {
    const fetches = [...(this.#fetches ?? [])].map(([broker, { at }]) => [`no fetch by broker ${broker}`, at] as const);
    const all = [["no heartbeat", this.#groupAnsweredAt ?? this.#elapsedMs] as const, ...fetches];
    const long = all.filter(([, at]) => this.#elapsedMs - at >= this.#options.limitMs);
    if (long.length === 0) return undefined;
    const facts = long.map(([what, at]) => `${what} for ${Math.round((this.#elapsedMs - at) / 1_000)} s`).join(", ");
    return `Kafka answers other connections but not the consumer's: ${facts}`;
  }
}
