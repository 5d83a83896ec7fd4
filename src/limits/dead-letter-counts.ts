import { LastMinuteCount } from "./last-minute-count.ts";

/** Why an event ends in the dead-letter topic, in terms that its producer recognises. */
export interface DeadLetterCause {
  /** The source topic of the event, even if it comes from a retry topic. */
  readonly topic: string;
  readonly reason: string;
  /** A detail of the reason, from a small set: the broken rule, the status of the refusal, the reason of the last failure. */
  readonly rule?: string | undefined;
}

/** A cause and its share of the dead letters, in percent with one decimal. */
export interface Culprit extends DeadLetterCause {
  readonly deadLetters: number;
  readonly percentOfDeadLetters: number;
  /** Its share of all events of its topic within a minute, or within the row of dead letters if that has more. */
  readonly percentOfTopic: number;
  /** The error of its newest dead letter. */
  readonly error: string;
}

/** Which dead letters count: those since the last event with another outcome, or those of the last minute. */
export type CountWindow = "row" | "minute";

interface CauseCounts {
  readonly cause: DeadLetterCause;
  readonly lastMinute: LastMinuteCount;
  consecutive: number;
  error: string;
  isHeld: boolean;
}

/** If there are more causes, the rules of a reason are counted together. Rules come from small sets; this bounds the memory in any case. */
const maxCauses = 500;
const causeKeyOf = ({ topic, reason, rule = "" }: DeadLetterCause): string => `${topic} ${reason} ${rule}`;
const percentOf = (part: number, whole: number): number => Math.round((1_000 * part) / Math.max(1, whole)) / 10;
const sumOf = (numbers: readonly number[]): number => numbers.reduce((sum, number) => sum + number, 0);

/** Counts the dead letters of one or more topics by their cause, and all events of each topic. A `slice` is `sliceOf` the present time. */
export class DeadLetterCounts {
  readonly #events = new Map<string, LastMinuteCount>();
  readonly #causes = new Map<string, CauseCounts>();
  #consecutive = 0;

  /** The dead letters since the last event with another outcome. */
  get consecutive(): number {
    return this.#consecutive;
  }

  /** Counts an event with another outcome than the dead-letter topic. */
  countOtherOutcome(topic: string, slice: number): void {
    if (this.#consecutive > 0) this.#resetConsecutive();
    this.#countEvent(topic, slice);
  }

  countDeadLetter(cause: DeadLetterCause, error: string, slice: number): void {
    const counts = this.#findCause(cause) ?? this.#addCause(cause);
    counts.error = error;
    counts.consecutive++;
    counts.lastMinute.increment(slice);
    this.#consecutive++;
    this.#countEvent(cause.topic, slice);
  }

  /** The events of the last minute. */
  eventsInLastMinute(slice: number): number {
    return sumOf([...this.#events.values()].map((events) => events.sum(slice)));
  }

  /** The dead letters of the last minute whose cause is not held. */
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

  /** Holds a cause that has been counted. The other causes start a new row. */
  hold(cause: DeadLetterCause): void {
    const counts = this.#findCause(cause);
    if (counts) counts.isHeld = true;
    this.#resetConsecutive();
  }

  isHeld(cause: DeadLetterCause): boolean {
    return this.#findCause(cause)?.isHeld ?? false;
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

  #findCause(cause: DeadLetterCause): CauseCounts | undefined {
    return this.#causes.get(causeKeyOf(this.#boundedCause(cause)));
  }

  #addCause(unbounded: DeadLetterCause): CauseCounts {
    const cause = this.#boundedCause(unbounded);
    const counts: CauseCounts = { cause, lastMinute: new LastMinuteCount(), consecutive: 0, error: "", isHeld: false };
    this.#causes.set(causeKeyOf(cause), counts);
    return counts;
  }

  /** The cause as it is counted: without its rule if there are too many causes. */
  #boundedCause({ topic, reason, rule }: DeadLetterCause): DeadLetterCause {
    const mayCount = this.#causes.size < maxCauses || this.#causes.has(causeKeyOf({ topic, reason, rule }));
    return mayCount && rule !== undefined ? { topic, reason, rule } : { topic, reason };
  }
}
