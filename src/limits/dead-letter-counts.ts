/** What the producer of a dead letter can recognise it by. */
export interface DeadLetterCause {
  /** The source topic of the event, also if it comes from a retry topic. */
  readonly topic: string;
  readonly reason: string;
  /** What narrows the reason down, from a small set: the broken rule, the refusal's status, the last failure. */
  readonly rule?: string | undefined;
}

/** A cause and its part in the dead letters. Shares are percentages with one decimal. */
export interface Culprit extends DeadLetterCause {
  readonly deadLetters: number;
  readonly percentOfDeadLetters: number;
  /** Of all events of its topic within a minute, or in the row if that was longer. */
  readonly percentOfTopic: number;
  /** What was said of the newest of them. */
  readonly error: string;
}

/** Which dead letters are meant: those since the last event that ended otherwise, or those of the last minute. */
export type CountWindow = "row" | "minute";

const sliceCount = 12;
const sliceMs = 5_000;

/** The slice of the last minute that a time belongs to. */
export const sliceOf = (wallNow: number): number => Math.floor(wallNow / sliceMs);

/** A count of the last minute, in slices of 5 s. */
class LastMinuteCount {
  readonly #sliceNumbers = Array.from({ length: sliceCount }, () => -sliceCount);
  readonly #counts = Array.from({ length: sliceCount }, () => 0);

  increment(slice: number): void {
    const index = slice % sliceCount;
    if (this.#sliceNumbers[index] !== slice) this.#counts[index] = 0;
    this.#sliceNumbers[index] = slice;
    this.#counts[index] = (this.#counts[index] ?? 0) + 1;
  }

  sum(slice: number): number {
    let sum = 0;
    for (let index = 0; index < sliceCount; index++)
      if ((this.#sliceNumbers[index] ?? 0) > slice - sliceCount) sum += this.#counts[index] ?? 0;
    return sum;
  }
}

interface CauseCounts {
  readonly cause: DeadLetterCause;
  readonly lastMinute: LastMinuteCount;
  consecutive: number;
  error: string;
  isHeld: boolean;
}

/** Beyond it the rules of a topic are counted together: they come from small sets, and this only makes sure. */
const maxCauses = 500;
const causeKeyOf = ({ topic, reason, rule = "" }: DeadLetterCause): string => `${topic} ${reason} ${rule}`;
const percentOf = (part: number, whole: number): number => Math.round((1_000 * part) / Math.max(1, whole)) / 10;
const sumOf = (numbers: readonly number[]): number => numbers.reduce((sum, number) => sum + number, 0);

/** The dead letters of one or more topics by their cause, and the events that they are a part of. */
export class DeadLetterCounts {
  readonly #events = new Map<string, LastMinuteCount>();
  readonly #causes = new Map<string, CauseCounts>();
  #consecutive = 0;

  /** Dead letters since the last event that ended otherwise. */
  get consecutive(): number {
    return this.#consecutive;
  }

  /** An event ended otherwise than in the dead-letter topic. */
  countOtherOutcome(topic: string, slice: number): void {
    if (this.#consecutive > 0) this.#resetConsecutive();
    this.#countEvent(topic, slice);
  }

  countDeadLetter(unbounded: DeadLetterCause, error: string, slice: number): void {
    const counts = this.#countsOf(unbounded);
    counts.error = error;
    counts.consecutive++;
    counts.lastMinute.increment(slice);
    this.#consecutive++;
    this.#countEvent(unbounded.topic, slice);
  }

  /** Events of the last minute. */
  eventsInLastMinute(slice: number): number {
    return sumOf([...this.#events.values()].map((events) => events.sum(slice)));
  }

  /** Dead letters of the last minute whose cause is not held. */
  deadLettersInLastMinute(slice: number): number {
    return sumOf(this.#causesNotHeld.map(({ lastMinute }) => lastMinute.sum(slice)));
  }

  /** The causes that are not held, the most frequent first. */
  culprits(window: CountWindow, slice: number): readonly Culprit[] {
    const deadLettersOf = ({ lastMinute, consecutive }: CauseCounts): number =>
      window === "row" ? consecutive : lastMinute.sum(slice);
    const totalDeadLetters = sumOf(this.#causesNotHeld.map(deadLettersOf));
    return this.#causesNotHeld
      .map((counts) => {
        const { cause, error } = counts;
        const deadLetters = deadLettersOf(counts);
        const deadInTopic = sumOf(
          this.#causesNotHeld.filter((other) => other.cause.topic === cause.topic).map(deadLettersOf),
        );
        const events = Math.max(this.#events.get(cause.topic)?.sum(slice) ?? 0, deadInTopic);
        const shares = {
          percentOfDeadLetters: percentOf(deadLetters, totalDeadLetters),
          percentOfTopic: percentOf(deadLetters, events),
        };
        return { ...cause, deadLetters, ...shares, error };
      })
      .filter(({ deadLetters }) => deadLetters > 0)
      .toSorted((a, b) => b.deadLetters - a.deadLetters);
  }

  /** Events of this cause wait from now on; the row begins anew for the others. */
  hold(cause: DeadLetterCause): void {
    this.#countsOf(cause).isHeld = true;
    this.#resetConsecutive();
  }

  isHeld(cause: DeadLetterCause): boolean {
    return this.#findCounts(cause)?.isHeld ?? false;
  }

  get #causesNotHeld(): readonly CauseCounts[] {
    return [...this.#causes.values()].filter(({ isHeld }) => !isHeld);
  }

  #resetConsecutive(): void {
    this.#consecutive = 0;
    for (const counts of this.#causes.values()) counts.consecutive = 0;
  }

  #countEvent(topic: string, slice: number): void {
    const events = this.#events.get(topic) ?? new LastMinuteCount();
    this.#events.set(topic, events);
    events.increment(slice);
  }

  #findCounts(cause: DeadLetterCause): CauseCounts | undefined {
    return this.#causes.get(causeKeyOf(this.#boundedCause(cause)));
  }

  #boundedCause({ topic, reason, rule }: DeadLetterCause): DeadLetterCause {
    const isKnown = this.#causes.size < maxCauses || this.#causes.has(causeKeyOf({ topic, reason, rule }));
    return isKnown && rule !== undefined ? { topic, reason, rule } : { topic, reason };
  }

  #countsOf(unbounded: DeadLetterCause): CauseCounts {
    const existing = this.#findCounts(unbounded);
    if (existing) return existing;
    const cause = this.#boundedCause(unbounded);
    const created: CauseCounts = { cause, lastMinute: new LastMinuteCount(), consecutive: 0, error: "", isHeld: false };
    this.#causes.set(causeKeyOf(cause), created);
    return created;
  }
}
