import { causeText, culpritsText, topCulpritsOf } from "./dead-letter-causes.ts";
import {
  type DeadLetterCause,
  type Culprit,
  DeadLetterCounts,
  type CountWindow,
  sliceOf,
} from "./dead-letter-counts.ts";

/** How many dead letters are too many, and who waits then: all events, or those whose cause makes most of the dead letters of a topic. */
export interface DeadLetterLimitRules {
  readonly scope: "all" | "cause";
  /** So many in a row. */
  readonly consecutive: number;
  /** Such a share of at least so many events within a minute. */
  readonly percent: number;
  readonly minEvents: number;
}

/** False: never too many. */
export type DeadLetterLimitSetting = false | DeadLetterLimitRules;

export interface DeadLetterHoldChange {
  readonly isHeld: boolean;
  readonly error: string;
  readonly heldMs: number;
  /** Who makes the dead letters. */
  readonly culprits: readonly Culprit[];
}

export interface DeadLetterLimitOptions {
  readonly limit: DeadLetterLimitSetting;
  /** The limit is reached, with scope `cause` once for each cause, or everything that waits for it may go on. */
  readonly onHoldChange: (change: DeadLetterHoldChange) => void;
}

/** A dead letter may be written, nothing may move, or the event waits in a retry topic. */
export type DeadLetterRuling = "admitted" | "held" | "parked";

/** More topics than anybody reads; beyond it, their names are foreign headers in a retry topic. */
const maxCountedTopics = 100;
const resumeAdvice = "raise deadLetterLimit in the settings file or set it to false";

/** Too large a record fits into no retry topic: it cannot wait there, and no other cause is to wait in its place. */
const mayBeParked = ({ reason }: DeadLetterCause): boolean => reason !== "too_large";

/** Stops a flood of bad records, as after a broken deploy, which would empty a topic into the dead letters. */
export class DeadLetterLimit {
  readonly #onHoldChange: DeadLetterLimitOptions["onHoldChange"];
  #limit: DeadLetterLimitSetting;
  /** With scope `cause` by topic, each with its own row and share; otherwise all together. */
  #counts = new Map<string, DeadLetterCounts>();
  #topics = new Set<string>();
  #culprits: readonly Culprit[] = [];
  #warnings: readonly string[] = [];
  #heldSince: number | undefined;
  #slice = 0;

  constructor({ limit, onHoldChange: onHold }: DeadLetterLimitOptions) {
    this.#limit = limit;
    this.#onHoldChange = onHold;
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
  isTopicHeld(topic: string): boolean {
    return this.#isByCause && this.#culprits.some((culprit) => culprit.topic === this.#boundedTopic(topic));
  }

  /** An event ended otherwise than in the dead-letter topic. */
  countOtherOutcome(unbounded: string, wallNow: number): void {
    if (this.#limit === false) return;
    const topic = this.#boundedTopic(unbounded);
    this.#countsOf(topic).countOtherOutcome(topic, this.#sliceAt(wallNow));
  }

  /** Asks for one more dead letter, and counts it if it is admitted. `error` says of it why. */
  countIfAllowed(unbounded: DeadLetterCause, error: string, wallNow: number): DeadLetterRuling {
    const limit = this.#limit;
    if (limit === false) return "admitted";
    if (this.#isByCause && !mayBeParked(unbounded)) return "admitted";
    const cause = { ...unbounded, topic: this.#boundedTopic(unbounded.topic) };
    if (!this.isHeld) this.#holdIfExceeded(limit, cause.topic, wallNow);
    const ruling = this.rulingOf(cause);
    if (ruling === "admitted") this.#countsOf(cause.topic).countDeadLetter(cause, error, this.#slice);
    return ruling;
  }

  /** As `admit`, of a dead letter that counts as part of another one. */
  rulingOf(cause: DeadLetterCause): DeadLetterRuling {
    if (this.isHeld) return "held";
    if (!this.#isByCause || this.#heldSince === undefined) return "admitted";
    const topic = this.#boundedTopic(cause.topic);
    return this.#countsOf(topic).isHeld({ ...cause, topic }) ? "parked" : "admitted";
  }

  /** An operator has looked: with another limit it goes on, counting from nothing. The same limit again changes nothing. */
  setLimit(limit: DeadLetterLimitSetting, wallNow: number): void {
    if (JSON.stringify(limit) === JSON.stringify(this.#limit)) return;
    this.#limit = limit;
    this.#counts = new Map();
    this.#topics = new Set();
    if (this.#heldSince === undefined) return;
    const heldMs = wallNow - this.#heldSince;
    const culprits = this.#culprits;
    this.#heldSince = undefined;
    this.#culprits = [];
    this.#warnings = [];
    this.#onHoldChange({ isHeld: false, error: "", heldMs, culprits });
  }

  get #isByCause(): boolean {
    return this.#limit !== false && this.#limit.scope === "cause";
  }

  /** A clock that was set back goes on in the newest slice. */
  #sliceAt(wallNow: number): number {
    this.#slice = Math.max(this.#slice, sliceOf(wallNow));
    return this.#slice;
  }

  #boundedTopic(topic: string): string {
    if (this.#topics.has(topic)) return topic;
    if (this.#topics.size >= maxCountedTopics) return "other";
    this.#topics.add(topic);
    return topic;
  }

  #countsOf(topic: string): DeadLetterCounts {
    const key = this.#isByCause ? topic : "";
    const existing = this.#counts.get(key);
    if (existing) return existing;
    const created = new DeadLetterCounts();
    this.#counts.set(key, created);
    return created;
  }

  /** Holds as long as there are too many: everything at once, or the most frequent cause of the topic, and the next one if it is not enough. */
  #holdIfExceeded(limit: DeadLetterLimitRules, topic: string, wallNow: number): void {
    const slice = this.#sliceAt(wallNow);
    const counts = this.#countsOf(topic);
    for (let excess = findExcess(limit, counts, slice); excess; excess = findExcess(limit, counts, slice)) {
      const culprits = counts.culprits(excess.window, slice);
      if (limit.scope === "all")
        return this.#hold(topCulpritsOf(culprits), holdAllText(excess.sentence, culprits), wallNow);
      const [worst] = culprits;
      if (!worst) return;
      counts.hold(worst);
      this.#hold([worst], holdCauseText(excess.sentence, culprits, worst), wallNow);
    }
  }

  #hold(culprits: readonly Culprit[], error: string, wallNow: number): void {
    this.#heldSince ??= wallNow;
    this.#culprits = [...this.#culprits, ...culprits];
    this.#warnings = [...this.#warnings, error];
    this.#onHoldChange({ isHeld: true, error, heldMs: 0, culprits });
  }
}

interface Excess {
  readonly window: CountWindow;
  readonly sentence: string;
}

const findExcess = (limit: DeadLetterLimitRules, counts: DeadLetterCounts, slice: number): Excess | undefined => {
  const { consecutive } = counts;
  if (consecutive >= limit.consecutive)
    return { window: "row", sentence: `${consecutive} events in a row went to the dead-letter topic` };
  const events = counts.eventsInLastMinute(slice);
  if (events < limit.minEvents) return undefined;
  const deadLetters = counts.deadLettersInLastMinute(slice);
  if (deadLetters * 100 < limit.percent * events) return undefined;
  return {
    window: "minute",
    sentence: `${deadLetters} of ${events} events within a minute went to the dead-letter topic`,
  };
};

const holdAllText = (sentence: string, culprits: readonly Culprit[]): string =>
  `${sentence}${culpritsText(culprits)}. Look at the newest dead letters; to go on, ${resumeAdvice}`;

const holdCauseText = (sentence: string, culprits: readonly Culprit[], worst: Culprit): string =>
  `${sentence}${culpritsText(culprits)}. Events of ${worst.topic} that would end as ${causeText(worst)} wait in the retry topics, all others go on; to let them go, ${resumeAdvice}`;
