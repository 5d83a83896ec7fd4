/** What the producer of a dead letter can recognise it by. */
export interface Cause {
  /** The source topic of the event, also if it comes from a retry topic. */
  readonly topic: string;
  readonly reason: string;
  /** What narrows the reason down, from a small set: the broken rule, the refusal's status, the last failure. */
  readonly rule?: string | undefined;
}

/** A cause and its part in the dead letters. Shares are percentages with one decimal. */
export interface Culprit extends Cause {
  readonly deadLetters: number;
  readonly percentOfDeadLetters: number;
  /** Of all events of its topic within a minute, or in the row if that was longer. */
  readonly percentOfTopic: number;
  /** What was said of the newest of them. */
  readonly error: string;
}

/** Which dead letters are meant: those since the last event that ended otherwise, or those of the last minute. */
export type Window = "row" | "minute";

const slices = 12;
const sliceMs = 5_000;

/** The slice of the last minute that a time belongs to. */
export const sliceOf = (now: number): number => Math.floor(now / sliceMs);

/** A count of the last minute, in slices of 5 s. */
class Minute {
  readonly #slices = Array.from({ length: slices }, () => -slices);
  readonly #counts = Array.from({ length: slices }, () => 0);

  add(slice: number): void {
    const at = slice % slices;
    if (this.#slices[at] !== slice) this.#counts[at] = 0;
    this.#slices[at] = slice;
    this.#counts[at] = (this.#counts[at] ?? 0) + 1;
  }

  sum(slice: number): number {
    let sum = 0;
    for (let at = 0; at < slices; at++) if ((this.#slices[at] ?? 0) > slice - slices) sum += this.#counts[at] ?? 0;
    return sum;
  }
}

interface CauseCounts {
  readonly cause: Cause;
  readonly minute: Minute;
  inRow: number;
  error: string;
  isHeld: boolean;
}

/** Beyond it the rules of a topic are counted together: they come from small sets, and this only makes sure. */
const maxCauses = 500;
const keyOf = ({ topic, reason, rule = "" }: Cause): string => `${topic} ${reason} ${rule}`;
const percentOf = (part: number, whole: number): number => Math.round((1_000 * part) / Math.max(1, whole)) / 10;
const sumOf = (numbers: readonly number[]): number => numbers.reduce((sum, number) => sum + number, 0);

/** The dead letters of one or more topics by their cause, and the events that they are a part of. */
export class DeadLetterCounts {
  readonly #events = new Map<string, Minute>();
  readonly #causes = new Map<string, CauseCounts>();
  #row = 0;

  /** Dead letters since the last event that ended otherwise. */
  get row(): number {
    return this.#row;
  }

  /** An event ended otherwise than in the dead-letter topic. */
  passed(topic: string, slice: number): void {
    if (this.#row > 0) this.#endRow();
    this.#count(topic, slice);
  }

  died(given: Cause, error: string, slice: number): void {
    const counts = this.#countsOf(given);
    counts.error = error;
    counts.inRow++;
    counts.minute.add(slice);
    this.#row++;
    this.#count(given.topic, slice);
  }

  /** Events of the last minute. */
  events(slice: number): number {
    return sumOf([...this.#events.values()].map((events) => events.sum(slice)));
  }

  /** Dead letters of the last minute whose cause is not held. */
  dead(slice: number): number {
    return sumOf(this.#open.map(({ minute }) => minute.sum(slice)));
  }

  /** The causes that are not held, the most frequent first. */
  culprits(window: Window, slice: number): readonly Culprit[] {
    const deadOf = ({ minute, inRow }: CauseCounts): number => (window === "row" ? inRow : minute.sum(slice));
    const dead = sumOf(this.#open.map(deadOf));
    return this.#open
      .map((counts) => {
        const { cause, error } = counts;
        const deadLetters = deadOf(counts);
        const deadInTopic = sumOf(this.#open.filter((other) => other.cause.topic === cause.topic).map(deadOf));
        const events = Math.max(this.#events.get(cause.topic)?.sum(slice) ?? 0, deadInTopic);
        const shares = {
          percentOfDeadLetters: percentOf(deadLetters, dead),
          percentOfTopic: percentOf(deadLetters, events),
        };
        return { ...cause, deadLetters, ...shares, error };
      })
      .filter(({ deadLetters }) => deadLetters > 0)
      .toSorted((a, b) => b.deadLetters - a.deadLetters);
  }

  /** Events of this cause wait from now on; the row begins anew for the others. */
  hold(cause: Cause): void {
    this.#countsOf(cause).isHeld = true;
    this.#endRow();
  }

  isHeld(cause: Cause): boolean {
    return this.#find(cause)?.isHeld ?? false;
  }

  get #open(): readonly CauseCounts[] {
    return [...this.#causes.values()].filter(({ isHeld }) => !isHeld);
  }

  #endRow(): void {
    this.#row = 0;
    for (const counts of this.#causes.values()) counts.inRow = 0;
  }

  #count(topic: string, slice: number): void {
    const events = this.#events.get(topic) ?? new Minute();
    this.#events.set(topic, events);
    events.add(slice);
  }

  #find(cause: Cause): CauseCounts | undefined {
    return this.#causes.get(keyOf(this.#bounded(cause)));
  }

  #bounded({ topic, reason, rule }: Cause): Cause {
    const isKnown = this.#causes.size < maxCauses || this.#causes.has(keyOf({ topic, reason, rule }));
    return isKnown && rule !== undefined ? { topic, reason, rule } : { topic, reason };
  }

  #countsOf(given: Cause): CauseCounts {
    const known = this.#find(given);
    if (known) return known;
    const cause = this.#bounded(given);
    const fresh: CauseCounts = { cause, minute: new Minute(), inRow: 0, error: "", isHeld: false };
    this.#causes.set(keyOf(cause), fresh);
    return fresh;
  }
}
