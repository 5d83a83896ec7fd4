import { causeText, culpritsText, namedOf } from "./dead-letter-causes.ts";
import { type Cause, type Culprit, DeadLetterCounts, type Window, sliceOf } from "./dead-letter-counts.ts";

/** How many dead letters are too many, and who waits then: all events, or those whose cause makes most of the dead letters of a topic. */
export interface DeadLetterLimit {
  readonly scope: "all" | "cause";
  /** So many in a row. */
  readonly consecutive: number;
  /** Such a share of at least so many events within a minute. */
  readonly percent: number;
  readonly minEvents: number;
}

/** False: never too many. */
export type FloodLimit = false | DeadLetterLimit;

export interface FloodChange {
  readonly isHeld: boolean;
  readonly error: string;
  readonly heldMs: number;
  /** Who makes the dead letters. */
  readonly culprits: readonly Culprit[];
}

export interface FloodOptions {
  readonly limit: FloodLimit;
  /** The limit is reached, with scope `cause` once for each cause, or everything that waits for it may go on. */
  readonly onHold: (change: FloodChange) => void;
}

/** A dead letter may be written, nothing may move, or the event waits in a retry topic. */
export type Ruling = "admitted" | "held" | "parked";

/** More topics than anybody reads; beyond it, their names are foreign headers in a retry topic. */
const maxTopics = 100;
const goOn = "raise deadLetterLimit in the settings file or set it to false";

/** Too large a record fits into no retry topic: it cannot wait there, and no other cause is to wait in its place. */
const canWait = ({ reason }: Cause): boolean => reason !== "too_large";

/** Stops a flood of bad records, as after a broken deploy, which would empty a topic into the dead letters. */
export class Flood {
  readonly #onHold: FloodOptions["onHold"];
  #limit: FloodLimit;
  /** With scope `cause` by topic, each with its own row and share; otherwise all together. */
  #counts = new Map<string, DeadLetterCounts>();
  #topics = new Set<string>();
  #culprits: readonly Culprit[] = [];
  #warnings: readonly string[] = [];
  #heldSince: number | undefined;
  #slice = 0;

  constructor({ limit, onHold }: FloodOptions) {
    this.#limit = limit;
    this.#onHold = onHold;
  }

  /** Nothing may move until the limit is changed. */
  get isHeld(): boolean {
    return this.#heldSince !== undefined && !this.#isByCause;
  }

  /** Who makes the dead letters; empty as long as they are not too many. */
  get culprits(): readonly Culprit[] {
    return this.#culprits;
  }

  /** What was said when the limit was reached: once, or once for each cause that waits. */
  get warnings(): readonly string[] {
    return this.#warnings;
  }

  /** Whether events of this topic wait in the retry topics for the limit to change. */
  isHeldIn(topic: string): boolean {
    return this.#isByCause && this.#culprits.some((culprit) => culprit.topic === this.#known(topic));
  }

  /** An event ended otherwise than in the dead-letter topic. */
  passed(given: string, now: number): void {
    if (this.#limit === false) return;
    const topic = this.#known(given);
    this.#countsOf(topic).passed(topic, this.#sliceAt(now));
  }

  /** Asks for one more dead letter, and counts it if it is admitted. `error` says of it why. */
  admit(given: Cause, error: string, now: number): Ruling {
    const limit = this.#limit;
    if (limit === false) return "admitted";
    if (this.#isByCause && !canWait(given)) return "admitted";
    const cause = { ...given, topic: this.#known(given.topic) };
    if (!this.isHeld) this.#judge(limit, cause.topic, now);
    const ruling = this.check(cause);
    if (ruling === "admitted") this.#countsOf(cause.topic).died(cause, error, this.#slice);
    return ruling;
  }

  /** As `admit`, of a dead letter that counts as part of another one. */
  check(cause: Cause): Ruling {
    if (this.isHeld) return "held";
    if (!this.#isByCause || this.#heldSince === undefined) return "admitted";
    const topic = this.#known(cause.topic);
    return this.#countsOf(topic).isHeld({ ...cause, topic }) ? "parked" : "admitted";
  }

  /** An operator has looked: with another limit it goes on, counting from nothing. The same limit again changes nothing. */
  change(limit: FloodLimit, now: number): void {
    if (JSON.stringify(limit) === JSON.stringify(this.#limit)) return;
    this.#limit = limit;
    this.#counts = new Map();
    this.#topics = new Set();
    if (this.#heldSince === undefined) return;
    const heldMs = now - this.#heldSince;
    const culprits = this.#culprits;
    this.#heldSince = undefined;
    this.#culprits = [];
    this.#warnings = [];
    this.#onHold({ isHeld: false, error: "", heldMs, culprits });
  }

  get #isByCause(): boolean {
    return this.#limit !== false && this.#limit.scope === "cause";
  }

  /** A clock that was set back goes on in the newest slice. */
  #sliceAt(now: number): number {
    this.#slice = Math.max(this.#slice, sliceOf(now));
    return this.#slice;
  }

  #known(topic: string): string {
    if (this.#topics.has(topic)) return topic;
    if (this.#topics.size >= maxTopics) return "other";
    this.#topics.add(topic);
    return topic;
  }

  #countsOf(topic: string): DeadLetterCounts {
    const key = this.#isByCause ? topic : "";
    const known = this.#counts.get(key);
    if (known) return known;
    const fresh = new DeadLetterCounts();
    this.#counts.set(key, fresh);
    return fresh;
  }

  /** Holds as long as there are too many: everything at once, or the most frequent cause of the topic, and the next one if it is not enough. */
  #judge(limit: DeadLetterLimit, topic: string, now: number): void {
    const slice = this.#sliceAt(now);
    const counts = this.#countsOf(topic);
    for (let why = whyOf(limit, counts, slice); why; why = whyOf(limit, counts, slice)) {
      const culprits = counts.culprits(why.window, slice);
      if (limit.scope === "all") return this.#hold(namedOf(culprits), textOfAll(why.sentence, culprits), now);
      const [worst] = culprits;
      if (!worst) return;
      counts.hold(worst);
      this.#hold([worst], textOfCause(why.sentence, culprits, worst), now);
    }
  }

  #hold(culprits: readonly Culprit[], error: string, now: number): void {
    this.#heldSince ??= now;
    this.#culprits = [...this.#culprits, ...culprits];
    this.#warnings = [...this.#warnings, error];
    this.#onHold({ isHeld: true, error, heldMs: 0, culprits });
  }
}

interface Why {
  readonly window: Window;
  readonly sentence: string;
}

const whyOf = (limit: DeadLetterLimit, counts: DeadLetterCounts, slice: number): Why | undefined => {
  const { row } = counts;
  if (row >= limit.consecutive)
    return { window: "row", sentence: `${row} events in a row went to the dead-letter topic` };
  const all = counts.events(slice);
  if (all < limit.minEvents) return undefined;
  const dead = counts.dead(slice);
  if (dead * 100 < limit.percent * all) return undefined;
  return { window: "minute", sentence: `${dead} of ${all} events within a minute went to the dead-letter topic` };
};

const textOfAll = (sentence: string, culprits: readonly Culprit[]): string =>
  `${sentence}${culpritsText(culprits)}. Look at the newest dead letters; to go on, ${goOn}`;

const textOfCause = (sentence: string, culprits: readonly Culprit[], worst: Culprit): string =>
  `${sentence}${culpritsText(culprits)}. Events of ${worst.topic} that would end as ${causeText(worst)} wait in the retry topics, all others go on; to let them go, ${goOn}`;
