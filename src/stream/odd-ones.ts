import type { Hold, HoldReason, Refused } from "../core/outcome.ts";

/** Answers that hold the stream, for they speak of the key, the address or the tenant's limit, unless they speak of a single event. */
export type Refusal = Extract<HoldReason, "unauthorized" | "misconfigured" | "throttled">;

/** What is known of an event that was refused. */
export interface Suspicion {
  readonly reason: Refusal;
  /** The last call that had begun when it was last refused. */
  refusedAt: number;
  /** Other events that had been refused by then. */
  others: number;
  /** How often a call of it was refused that began after others went through. */
  rounds: number;
  /** How often in a row it was refused while nobody else went through. */
  unproven: number;
}

interface Suspect {
  suspicion: Suspicion | undefined;
}

/** No good event in a million is taken for odd by bad luck. */
const badLuck = 1e-6;
/** Once may be an address that works and breaks by turns, as during a deploy. */
const leastRounds = 2;
/** Where nobody else was refused: that many of the next events may be all the same. With 30 that went through, two rounds are enough. */
const doubt = 0.03;
/** First calls that count: after so many that went through, all count half. */
const memory = 1_000;

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
  /** Events that were refused. */
  readonly #refused: Record<Refusal, number> = { unauthorized: 0, misconfigured: 0, throttled: 0 };
  readonly #lately = { passed: 0, unauthorized: 0, misconfigured: 0, throttled: 0 };

  /** A call begins; gives back its number. */
  begin(): number {
    return ++this.#begun;
  }

  passed({ suspicion }: Suspect, call: number): void {
    if (call > this.#lastPassed) this.#lastPassed = call;
    if (suspicion === undefined && ++this.#lately.passed > memory) this.#forget();
  }

  /** How the event of a call that begins now has fared: refused again, one that was so alone proves something. */
  refusedOf({ suspicion }: Suspect): Refused {
    if (suspicion === undefined) return "never";
    return suspicion.refusedAt < this.#lastPassed ? "alone" : "before";
  }

  /** `refused`: as it was when the call began. True if it is the odd one. */
  isOdd(suspect: Suspect, reason: Refusal, refused: Refused): boolean {
    const { suspicion } = suspect;
    if (suspicion?.reason !== reason) {
      this.#lately[reason]++;
      const others = ++this.#refused[reason];
      suspect.suspicion = { reason, refusedAt: this.#begun, others, rounds: 0, unproven: 0 };
      return false;
    }
    suspicion.unproven = refused === "alone" ? 0 : suspicion.unproven + 1;
    if (refused === "alone" && this.#isRound(suspicion)) suspicion.rounds++;
    suspicion.refusedAt = this.#begun;
    suspicion.others = this.#refused[reason];
    return this.#isSure(suspicion);
  }

  /** A limit may let some through all the time: there an event is only alone if nobody else has met it in between. */
  #isRound({ reason, others }: Suspicion): boolean {
    return reason !== "throttled" || others === this.#refused.throttled;
  }

  #isSure({ reason, rounds }: Suspicion): boolean {
    const { passed } = this.#lately;
    const others = Math.max(0, this.#lately[reason] - 1);
    const shareRefused = (others + doubt) / (others + passed + 1);
    return rounds >= leastRounds && shareRefused ** rounds <= badLuck;
  }

  #forget(): void {
    this.#lately.passed /= 2;
    for (const reason of ["unauthorized", "misconfigured", "throttled"] as const) this.#lately[reason] /= 2;
  }
}
