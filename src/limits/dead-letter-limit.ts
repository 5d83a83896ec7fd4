import { type Culprit, type CountWindow, type DeadLetterCause, DeadLetterCounts } from "./dead-letter-counts.ts";
import { holdAllText, holdCauseText, topCulpritsOf } from "./hold-text.ts";
import { sliceOf } from "./last-minute-count.ts";

/** How many dead letters are too many. Reaching either limit is enough. */
export interface DeadLetterLimitRules {
  /** What waits then: all events, or only those of the most frequent cause in a topic. */
  readonly scope: "all" | "cause";
  /** So many dead letters in a row. */
  readonly consecutive: number;
  /** So many percent of at least `minEvents` events within a minute. */
  readonly percent: number;
  readonly minEvents: number;
}

/** False: there is no limit. */
export type DeadLetterLimitSetting = false | DeadLetterLimitRules;

export interface DeadLetterHoldChange {
  readonly isHeld: boolean;
  /** Why the hold began, and how to end it; empty at its end. */
  readonly error: string;
  /** How long the hold lasted; 0 at its begin. */
  readonly heldMs: number;
  /** The causes that make the dead letters. */
  readonly culprits: readonly Culprit[];
}

export interface DeadLetterLimitOptions {
  readonly limit: DeadLetterLimitSetting;
  /** Called when the limit is reached, with scope `cause` once for each cause, and when the hold ends. */
  readonly onHoldChange: (change: DeadLetterHoldChange) => void;
}

/** `admitted`: write the dead letter. `held`: no event may move. `parked`: the event waits in a retry topic. */
export type DeadLetterRuling = "admitted" | "held" | "parked";

/** If there are more topics, the rest is counted together. Headers of records in a retry topic can name any topic. */
const maxCountedTopics = 100;
const restOfTopics = "other";

/** A record that is too large fits into no retry topic, so it cannot wait there; and other causes do not wait for its dead letters. */
const mayBeParked = ({ reason }: DeadLetterCause): boolean => reason !== "too_large";

/** Makes events wait before too many of them become dead letters, for example after a deployment that broke a producer. */
export class DeadLetterLimit {
  readonly #onHoldChange: DeadLetterLimitOptions["onHoldChange"];
  #limit: DeadLetterLimitSetting;
  /** By topic with scope `cause`; of all topics together, under an empty name, with scope `all`. */
  #counts = new Map<string, DeadLetterCounts>();
  #countedTopics = new Set<string>();
  #culprits: readonly Culprit[] = [];
  #warnings: readonly string[] = [];
  #heldSince: number | undefined;
  #slice = 0;

  constructor({ limit, onHoldChange }: DeadLetterLimitOptions) {
    this.#limit = limit;
    this.#onHoldChange = onHoldChange;
  }

  /** No event may move until the limit changes: it is reached, with scope `all`. */
  get isHeld(): boolean {
    return this.#heldSince !== undefined && !this.#isByCause;
  }

  /** The causes that make the dead letters; empty while the limit is not reached. */
  get culprits(): readonly Culprit[] {
    return this.#culprits;
  }

  /** Why events wait, and how to continue; one text for each hold. */
  get warnings(): readonly string[] {
    return this.#warnings;
  }

  /** Whether events of this topic wait in the retry topics until the limit changes. */
  isTopicHeld(topic: string): boolean {
    return this.#isByCause && this.#culprits.some((culprit) => culprit.topic === this.#boundedTopic(topic));
  }

  /** Counts an event with another outcome than the dead-letter topic. */
  countOtherOutcome(sourceTopic: string, wallNow: number): void {
    if (this.#limit === false) return;
    const topic = this.#boundedTopic(sourceTopic);
    this.#countsFor(topic).countOtherOutcome(topic, this.#advanceSlice(wallNow));
  }

  /** Rules on one more dead letter, and counts it if it is admitted. `error` says why the event ends so. */
  countIfAllowed(unbounded: DeadLetterCause, error: string, wallNow: number): DeadLetterRuling {
    const limit = this.#limit;
    if (limit === false) return "admitted";
    if (this.#isByCause && !mayBeParked(unbounded)) return "admitted";
    const cause = { ...unbounded, topic: this.#boundedTopic(unbounded.topic) };
    const counts = this.#countsFor(cause.topic);
    const slice = this.#advanceSlice(wallNow);
    if (!this.isHeld) this.#holdIfExceeded(limit, counts, wallNow);
    const ruling = this.rulingOf(cause);
    if (ruling === "admitted") counts.countDeadLetter(cause, error, slice);
    return ruling;
  }

  /** Rules on a dead letter without counting it. */
  rulingOf(cause: DeadLetterCause): DeadLetterRuling {
    if (this.isHeld) return "held";
    if (!this.#isByCause || this.#heldSince === undefined) return "admitted";
    const topic = this.#boundedTopic(cause.topic);
    return this.#findCounts(topic)?.isHeld({ ...cause, topic }) ? "parked" : "admitted";
  }

  /** Sets the limit. Another limit ends the hold and all counts start at zero; the same limit changes nothing. */
  setLimit(limit: DeadLetterLimitSetting, wallNow: number): void {
    if (JSON.stringify(limit) === JSON.stringify(this.#limit)) return;
    this.#limit = limit;
    this.#counts = new Map();
    this.#countedTopics = new Set();
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

  /** If the clock is set back, the newest slice continues. */
  #advanceSlice(wallNow: number): number {
    this.#slice = Math.max(this.#slice, sliceOf(wallNow));
    return this.#slice;
  }

  /** The topic as it is counted. */
  #boundedTopic(topic: string): string {
    const mayCount = this.#countedTopics.size < maxCountedTopics || this.#countedTopics.has(topic);
    return mayCount ? topic : restOfTopics;
  }

  #findCounts(topic: string): DeadLetterCounts | undefined {
    return this.#counts.get(this.#isByCause ? topic : "");
  }

  /** The counts of a topic, created with its first event. */
  #countsFor(topic: string): DeadLetterCounts {
    this.#countedTopics.add(topic);
    const existing = this.#findCounts(topic);
    if (existing) return existing;
    const created = new DeadLetterCounts();
    this.#counts.set(this.#isByCause ? topic : "", created);
    return created;
  }

  /** With scope `cause`, it holds the most frequent cause of the topic, then the next one, until the rest is below the limit. */
  #holdIfExceeded(limit: DeadLetterLimitRules, counts: DeadLetterCounts, wallNow: number): void {
    const slice = this.#slice;
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
  /** How many dead letters there were. */
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
