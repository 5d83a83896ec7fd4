import type { Arrival } from "../core/arrival.ts";
import type { Dead } from "../core/outcome.ts";
import type { Chains, Turn } from "../flow/chains.ts";
import { Lanes } from "../flow/lanes.ts";
import type { Slot, Tracker } from "../flow/tracker.ts";

/** One partition of one topic that this member owns: where records come in. */
export interface Inlet {
  readonly topic: string;
  readonly partition: number;
  /** Which retry tier the topic is; undefined for a source. */
  readonly tier: number | undefined;
  readonly tracker: Tracker;
  /** The parked users of this partition number, shared by its sources and tiers. */
  readonly chains: Chains;
}

/** A record between intake and commit. */
export interface Held {
  readonly inlet: Inlet;
  readonly slot: Slot;
  readonly arrival: Arrival;
  readonly bytes: number;
  /** Calls made in the present round. */
  quickAttempts: number;
  /** A call of it has met a hold. */
  wasHeld: boolean;
  /** Its partition can go no further before it is finished. */
  mustYield: boolean;
  /** It will never work, and waits for the dead-letter topic to be open to it. */
  verdict: Dead | undefined;
  /** More deliveries than this show that the address has worked since this event last found it wrong; undefined: it has not. */
  misconfiguredAt: number | undefined;
  /** How often a call that began after such a delivery has found the address wrong all the same. */
  misconfiguredRounds: number;
}

/**
 * Everything that one join of the group has brought. The next join begins a new one from what is committed, and nothing
 * of the old one counts any more: that is what keeps late results from moving another owner's offsets.
 */
export interface Assignment {
  isLive: boolean;
  readonly lanes: Lanes<Held>;
}

export interface Taken extends Pick<Held, "inlet" | "slot" | "arrival"> {
  /** How many events the record holds, which share its bytes. */
  readonly events: number;
}

export const createHeld = ({ inlet, slot, arrival, events }: Taken): Held => {
  const body = arrival.meaning.kind === "call" ? arrival.meaning.body.length : 0;
  const bytes = Math.ceil((arrival.record.value?.length ?? 0) / events) + body;
  return {
    inlet,
    slot,
    arrival,
    bytes,
    quickAttempts: 0,
    wasHeld: false,
    mustYield: false,
    verdict: undefined,
    misconfiguredAt: undefined,
    misconfiguredRounds: 0,
  };
};

/** Whether a record may go now, seen from those of its user that wait in the tiers. */
export const turnOf = ({ arrival, inlet, slot }: Held): Turn => {
  const { tier, chains } = inlet;
  if (tier === undefined && chains.isEmpty) return { kind: "deliver" };
  const place = tier === undefined ? undefined : { tier, offset: slot.offset };
  return chains.turnOf(arrival.user, arrival.past.origin.id, place);
};

/** The lane of a user's records from the sources; those from the tiers have a lane of their own, so that neither waits for the other. */
export const sourceLaneOf = ({ partition }: Inlet, user: string): string => `${partition}/${user}`;

export const laneOf = (inlet: Inlet, user: string): string =>
  inlet.tier === undefined ? sourceLaneOf(inlet, user) : `tier ${sourceLaneOf(inlet, user)}`;

/** Whether it has failed before, by itself or with all others: there are better ones to ask whether the target is well. */
export const hasFailed = ({ wasHeld, quickAttempts, arrival }: Held): boolean =>
  wasHeld || quickAttempts > 0 || arrival.past.attempts > 0;

/** Whether working on it means a call to Gainsight. */
export const isCall = (held: Held): boolean =>
  held.arrival.meaning.kind === "call" && held.verdict === undefined && turnOf(held).kind === "deliver";

export const createAssignment = (): Assignment => ({ isLive: true, lanes: new Lanes() });
