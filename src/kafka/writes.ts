/** A failed write is tried again within seconds: after this long, none has failed lately. */
const lateMs = 30_000;
/** Kafka answers a write within this time, unless it is in trouble. */
const slowMs = 5_000;
/** kafkajs gives a write up before that, so one that takes longer hangs in this process. */
const hungMs = 60 * 60_000;

/** Whether Kafka takes our writes, told by those under way and those that failed. Milliseconds by the given clock. */
export class Writes {
  readonly #now: () => number;
  /** When those under way began, oldest first. */
  readonly #underWay = new Set<{ readonly since: number }>();
  #failedAt = -Infinity;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Makes a write and watches it. */
  async watch<T>(write: () => Promise<T>): Promise<T> {
    const entry = { since: this.#now() };
    this.#underWay.add(entry);
    try {
      return await write();
    } catch (error) {
      this.#failedAt = this.#now();
      throw error;
    } finally {
      this.#underWay.delete(entry);
    }
  }

  /** A write has failed lately, or the oldest one has been waiting for its answer for long. */
  get areInTrouble(): boolean {
    const now = this.#now();
    const [oldest] = this.#underWay;
    const waitedMs = now - (oldest?.since ?? now);
    return now - this.#failedAt < lateMs || (waitedMs >= slowMs && waitedMs < hungMs);
  }
}
