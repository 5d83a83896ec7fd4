import type { Hold, HoldReason, RefusalHistory } from "../core/outcome/outcome.ts";

/** Answers that hold the stream, for they speak of the key, the address or the tenant's limit, unless they speak of a single event. */
export type RefusalReason = Extract<HoldReason, "unauthorized" | "misconfigured" | "throttled">;

/** A limit may end; the refusal of one event by its key or its address does not, however its status varies. */
type RefusalKind = "refused" | "throttled";

/** What is known of an event that was refused. */
export interface RefusalState {
  readonly kind: RefusalKind;
  /** The last call that had begun when it was last refused. */
  lastCallAtRefusal: number;
  /** Other events that had been refused by then. */
  othersRefused: number;
  /** How often a call of it was refused that began after others went through. */
  rounds: number;
  /** How often in a row it was refused while nobody else went through. */
  inconclusiveRefusals: number;
  /** How other events fared, at their first call, up to its first refusal. */
  readonly othersBefore: { readonly passed: number; readonly refused: number };
}

interface RefusedItem {
  refusalState: RefusalState | undefined;
}

/** No good event in a million is taken for odd by bad luck. */
const maxFalsePositiveRate = 1e-6;
/** Once may be an address that works and breaks by turns, as during a deploy. */
const minRounds = 2;
/** If nobody else was refused: that many of the next events may be all the same. */
const assumedRefusals = 0.03;
/** First calls that count: after so many that went through, all count half. */
const maxRecentCalls = 1_000;

/** An event that comes back from a retry topic, where it was sent for being throttled alone. */
export const createThrottledState = (): RefusalState => ({
  kind: "throttled",
  lastCallAtRefusal: 0,
  othersRefused: 0,
  rounds: 0,
  inconclusiveRefusals: 0,
  othersBefore: { passed: 0, refused: 0 },
});

const refusalReasons: ReadonlySet<HoldReason> = new Set<RefusalReason>(["unauthorized", "misconfigured", "throttled"]);

export const isRefusalHold = (hold: Hold): hold is Hold & { readonly reason: RefusalReason } =>
  refusalReasons.has(hold.reason);

/**
 * Finds events that are refused while others go through: a firewall that dislikes their body, for example. A round is a call
 * of such an event that began after another one, begun after the last refusal, went through, and that was refused all the
 * same. The event is the odd one once so many rounds can be no bad luck, as with a target that refuses one call in three: how
 * many other events were refused lately, at their first call, tells.
 */
export class RefusedAlone {
  #lastCallNumber = 0;
  /** The youngest call that went through. */
  #lastSucceededCall = 0;
  /** Events that went through or were refused, at their first call; of all time, and lately. */
  readonly #total = { passed: 0, refused: 0, throttled: 0 };
  readonly #recent = { passed: 0, refused: 0, throttled: 0 };

  /** A call begins; gives back its number. */
  beginCall(): number {
    return ++this.#lastCallNumber;
  }

  recordSuccess({ refusalState }: RefusedItem, callNumber: number): void {
    if (callNumber > this.#lastSucceededCall) this.#lastSucceededCall = callNumber;
    if (refusalState !== undefined) return;
    this.#total.passed++;
    if (++this.#recent.passed > maxRecentCalls) this.#halveRecent();
  }

  /** How the event of a call that begins now has fared: refused again, one that was so alone proves something. */
  refusalHistoryOf({ refusalState }: RefusedItem): RefusalHistory {
    if (refusalState === undefined) return "never";
    if (refusalState.lastCallAtRefusal < this.#lastSucceededCall) return "alone";
    return refusalState.rounds > 0 ? "suspect" : "before";
  }

  /** `refused`: as it was when the call began. True if it is the odd one. */
  recordRefusal(item: RefusedItem, reason: RefusalReason, history: RefusalHistory): boolean {
    const kind: RefusalKind = reason === "throttled" ? reason : "refused";
    const { refusalState } = item;
    if (refusalState?.kind !== kind) {
      item.refusalState = this.#recordFirstRefusal(kind);
      return false;
    }
    refusalState.inconclusiveRefusals = history === "alone" ? 0 : refusalState.inconclusiveRefusals + 1;
    if (history === "alone" && this.#countsAsRound(refusalState)) refusalState.rounds++;
    refusalState.lastCallAtRefusal = this.#lastCallNumber;
    refusalState.othersRefused = this.#total[kind];
    return this.#isRefusedAlone(refusalState);
  }

  #recordFirstRefusal(kind: RefusalKind): RefusalState {
    this.#recent[kind]++;
    const othersRefused = ++this.#total[kind];
    const othersBefore = { passed: this.#total.passed, refused: othersRefused };
    return {
      kind,
      lastCallAtRefusal: this.#lastCallNumber,
      othersRefused,
      rounds: 0,
      inconclusiveRefusals: 0,
      othersBefore,
    };
  }

  /** A limit may let some through all the time: there an event is only alone if nobody else has met it in between. */
  #countsAsRound({ kind, othersRefused }: RefusalState): boolean {
    return kind !== "throttled" || othersRefused === this.#total.throttled;
  }

  /** What others met since its first refusal counts as well as what they met before: the trouble may have begun with it. */
  #isRefusedAlone({ kind, rounds, othersBefore }: RefusalState): boolean {
    const { passed } = this.#recent;
    const othersRefused = Math.max(0, this.#recent[kind] - 1);
    const recentRate = (othersRefused + assumedRefusals) / (othersRefused + passed + 1);
    const refusedSince = this.#total[kind] - othersBefore.refused;
    const rateSince = (refusedSince + 1) / (refusedSince + this.#total.passed - othersBefore.passed + 2);
    return rounds >= minRounds && Math.max(recentRate, rateSince) ** rounds <= maxFalsePositiveRate;
  }

  #halveRecent(): void {
    for (const counter of ["passed", "refused", "throttled"] as const) this.#recent[counter] /= 2;
  }
}
