import type { Hold, HoldReason, RefusalHistory } from "../core/outcome/outcome.ts";

/**
 * Refusals that are usually not caused by the event: they concern the access key, the address or the tenant's rate limit,
 * and hold all events. Sometimes only a single event gets them.
 */
export type RefusalReason = Extract<HoldReason, "unauthorized" | "misconfigured" | "throttled">;

/** `throttled` may end by itself. `refused` (key or address) does not, whatever the status. */
type RefusalKind = "refused" | "throttled";

/** The refusals of an event so far. */
export interface RefusalState {
  readonly kind: RefusalKind;
  /** The number of the newest call at the time of the last refusal. */
  lastCallAtRefusal: number;
  /** How many events had been refused by then. */
  othersRefused: number;
  /** How many of its calls were refused after other events had succeeded in between. */
  rounds: number;
  /** Refusals in a row without a success of another event in between. */
  inconclusiveRefusals: number;
  /** First calls of other events that succeeded or were refused before its first refusal. */
  readonly othersBefore: { readonly succeeded: number; readonly refused: number };
}

interface RefusedItem {
  refusalState: RefusalState | undefined;
}

/** At most one good event in a million may be rejected by chance. */
const maxFalsePositiveRate = 1e-6;
/** One round is not enough: during a deploy an address may work and fail by turns. */
const minRounds = 2;
/** The share of refused events to assume if no other event was refused. */
const assumedRefusals = 0.03;
/** After this many successful first calls, all recent counts are halved, so that older calls matter less. */
const maxRecentCalls = 1_000;

/** The state of an event that returns from a retry topic after it was throttled alone. */
export const createThrottledState = (): RefusalState => ({
  kind: "throttled",
  lastCallAtRefusal: 0,
  othersRefused: 0,
  rounds: 0,
  inconclusiveRefusals: 0,
  othersBefore: { succeeded: 0, refused: 0 },
});

const refusalReasons: ReadonlySet<HoldReason> = new Set<RefusalReason>(["unauthorized", "misconfigured", "throttled"]);

/** Whether a hold may be the refusal of a single event. */
export const isRefusalHold = (hold: Hold): hold is Hold & { readonly reason: RefusalReason } =>
  refusalReasons.has(hold.reason);

/**
 * Finds events that are refused while other events succeed, for example because a firewall blocks their body. A round is a
 * refused call of the event that started after another event, whose call started after the last refusal, had succeeded. If
 * a target refuses one call in three, several rounds may be chance. So the number of rounds needed depends on the share of
 * other events that were refused recently at their first call.
 */
export class RefusedAlone {
  #lastCallNumber = 0;
  /** The number of the newest call that succeeded. */
  #lastSucceededCall = 0;
  /** First calls of events, by result: since the start, and recent ones. */
  readonly #total = { succeeded: 0, refused: 0, throttled: 0 };
  readonly #recent = { succeeded: 0, refused: 0, throttled: 0 };

  /** Counts a new call, and returns its number. */
  beginCall(): number {
    return ++this.#lastCallNumber;
  }

  /** A call has succeeded. */
  recordSuccess({ refusalState }: RefusedItem, callNumber: number): void {
    if (callNumber > this.#lastSucceededCall) this.#lastSucceededCall = callNumber;
    if (refusalState !== undefined) return;
    this.#total.succeeded++;
    if (++this.#recent.succeeded > maxRecentCalls) this.#halveRecent();
  }

  /**
   * The earlier refusals of an event whose call starts now. `alone`: others have succeeded since, so another refusal counts
   * as a round.
   */
  refusalHistoryOf({ refusalState }: RefusedItem): RefusalHistory {
    if (refusalState === undefined) return "never";
    if (refusalState.lastCallAtRefusal < this.#lastSucceededCall) return "alone";
    return refusalState.rounds > 0 ? "suspect" : "before";
  }

  /** A call was refused. `history`: the event's refusals when the call started. */
  recordRefusal(item: RefusedItem, reason: RefusalReason, history: RefusalHistory): void {
    const kind: RefusalKind = reason === "throttled" ? reason : "refused";
    const { refusalState } = item;
    if (refusalState?.kind !== kind) {
      this.#total[kind]++;
      this.#recent[kind]++;
      item.refusalState = this.#stateAtFirstRefusal(kind);
      return;
    }
    refusalState.inconclusiveRefusals = history === "alone" ? 0 : refusalState.inconclusiveRefusals + 1;
    if (history === "alone" && this.#countsAsRound(refusalState)) refusalState.rounds++;
    refusalState.lastCallAtRefusal = this.#lastCallNumber;
    refusalState.othersRefused = this.#total[kind];
  }

  #stateAtFirstRefusal(kind: RefusalKind): RefusalState {
    const { succeeded, [kind]: refused } = this.#total;
    return {
      kind,
      lastCallAtRefusal: this.#lastCallNumber,
      othersRefused: refused,
      rounds: 0,
      inconclusiveRefusals: 0,
      othersBefore: { succeeded, refused },
    };
  }

  /**
   * A rate limit may always accept some events. So a throttled event is alone only if no other event was throttled in
   * between.
   */
  #countsAsRound({ kind, othersRefused }: RefusalState): boolean {
    return kind !== "throttled" || othersRefused === this.#total.throttled;
  }

  /**
   * Whether the event is refused for itself: its rounds are too many to be chance. The share of refused events is taken both
   * from recent calls and from those since its first refusal, since a failure of the target may have started with this event.
   */
  isRefusedAlone({ refusalState }: RefusedItem): boolean {
    if (refusalState === undefined) return false;
    const { kind, rounds, othersBefore } = refusalState;
    const { succeeded } = this.#recent;
    const othersRefused = Math.max(0, this.#recent[kind] - 1);
    const recentRate = (othersRefused + assumedRefusals) / (othersRefused + succeeded + 1);
    const refusedSince = this.#total[kind] - othersBefore.refused;
    const succeededSince = this.#total.succeeded - othersBefore.succeeded;
    const rateSince = (refusedSince + 1) / (refusedSince + succeededSince + 2);
    return rounds >= minRounds && Math.max(recentRate, rateSince) ** rounds <= maxFalsePositiveRate;
  }

  #halveRecent(): void {
    for (const counter of ["succeeded", "refused", "throttled"] as const) this.#recent[counter] /= 2;
  }
}
