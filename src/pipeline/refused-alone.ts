import type { Hold, HoldReason, Refused } from "../core/outcome/outcome.ts";

/** Answers that hold the stream, for they speak of the key, the address or the tenant's limit, unless they speak of a single event. */
export type Refusal = Extract<HoldReason, "unauthorized" | "misconfigured" | "throttled">;

/** A limit may end; the refusal of one event by its key or its address does not, however its status varies. */
type Kind = "refused" | "throttled";

/** What is known of an event that was refused. */
export interface Suspicion {
  readonly kind: Kind;
  /** The last call that had begun when it was last refused. */
  refusedAt: number;
  /** Other events that had been refused by then. */
  others: number;
  /** How often a call of it was refused that began after others went through. */
  rounds: number;
  /** How often in a row it was refused while nobody else went through. */
  unproven: number;
  /** How other events fared, at their first call, up to its first refusal. */
  readonly before: { readonly passed: number; readonly refused: number };
}

interface Suspect {
  suspicion: Suspicion | undefined;
}

/** No good event in a million is taken for odd by bad luck. */
const badLuck = 1e-6;
/** Once may be an address that works and breaks by turns, as during a deploy. */
const leastRounds = 2;
/** If nobody else was refused: that many of the next events may be all the same. */
const doubt = 0.03;
/** First calls that count: after so many that went through, all count half. */
const memory = 1_000;

/** An event that comes back from a retry topic, where it was sent for being throttled alone. */
export const throttledBefore = (): Suspicion => ({
  kind: "throttled",
  refusedAt: 0,
  others: 0,
  rounds: 0,
  unproven: 0,
  before: { passed: 0, refused: 0 },
});

const refusals: ReadonlySet<HoldReason> = new Set<Refusal>(["unauthorized", "misconfigured", "throttled"]);

export const isRefusal = (hold: Hold): hold is Hold & { readonly reason: Refusal } => refusals.has(hold.reason);

/**
 * Finds events that are refused while others go through: a firewall that dislikes their body, for example. A round is a call
 * of such an event that began after another one, begun after the last refusal, went through, and that was refused all the
 * same. The event is the odd one once so many rounds can be no bad luck, as with a target that refuses one call in three: how
 * many other events were refused lately, at their first call, tells.
 */
export class OddOnes {
  #begun = 0;
  /** The youngest call that went through. */
  #lastPassed = 0;
  /** Events that went through or were refused, at their first call; of all time, and lately. */
  readonly #total = { passed: 0, refused: 0, throttled: 0 };
  readonly #lately = { passed: 0, refused: 0, throttled: 0 };

  /** A call begins; gives back its number. */
  begin(): number {
    return ++this.#begun;
  }

  passed({ suspicion }: Suspect, call: number): void {
    if (call > this.#lastPassed) this.#lastPassed = call;
    if (suspicion !== undefined) return;
    this.#total.passed++;
    if (++this.#lately.passed > memory) this.#forget();
  }

  /** How the event of a call that begins now has fared: refused again, one that was so alone proves something. */
  refusedOf({ suspicion }: Suspect): Refused {
    if (suspicion === undefined) return "never";
    if (suspicion.refusedAt < this.#lastPassed) return "alone";
    return suspicion.rounds > 0 ? "suspect" : "before";
  }

  /** `refused`: as it was when the call began. True if it is the odd one. */
  isOdd(suspect: Suspect, reason: Refusal, refused: Refused): boolean {
    const kind: Kind = reason === "throttled" ? reason : "refused";
    const { suspicion } = suspect;
    if (suspicion?.kind !== kind) {
      suspect.suspicion = this.#suspect(kind);
      return false;
    }
    suspicion.unproven = refused === "alone" ? 0 : suspicion.unproven + 1;
    if (refused === "alone" && this.#isRound(suspicion)) suspicion.rounds++;
    suspicion.refusedAt = this.#begun;
    suspicion.others = this.#total[kind];
    return this.#isSure(suspicion);
  }

  #suspect(kind: Kind): Suspicion {
    this.#lately[kind]++;
    const others = ++this.#total[kind];
    const before = { passed: this.#total.passed, refused: others };
    return { kind, refusedAt: this.#begun, others, rounds: 0, unproven: 0, before };
  }

  /** A limit may let some through all the time: there an event is only alone if nobody else has met it in between. */
  #isRound({ kind, others }: Suspicion): boolean {
    return kind !== "throttled" || others === this.#total.throttled;
  }

  /** What others met since its first refusal counts as well as what they met before: the trouble may have begun with it. */
  #isSure({ kind, rounds, before }: Suspicion): boolean {
    const { passed } = this.#lately;
    const others = Math.max(0, this.#lately[kind] - 1);
    const lately = (others + doubt) / (others + passed + 1);
    const refusedSince = this.#total[kind] - before.refused;
    const since = (refusedSince + 1) / (refusedSince + this.#total.passed - before.passed + 2);
    return rounds >= leastRounds && Math.max(lately, since) ** rounds <= badLuck;
  }

  #forget(): void {
    for (const what of ["passed", "refused", "throttled"] as const) this.#lately[what] /= 2;
  }
}
