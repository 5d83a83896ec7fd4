import { type Origin, eventKeyOf, recordKeyOf } from "../core/outcome/headers.ts";
import type { Dead } from "../core/outcome/outcome.ts";
import type { Arrival } from "../core/parsed-record.ts";
import type { Slot, Tracker } from "../offsets/tracker.ts";
import { Lanes } from "../ordering/key-queues.ts";
import type { Chains, Turn } from "../ordering/retry-backlog.ts";
import { type Suspicion, throttledBefore } from "./refused-alone.ts";

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

/** An event between intake and commit. */
export interface Held {
  readonly inlet: Inlet;
  readonly slot: Slot;
  readonly arrival: Arrival;
  readonly bytes: number;
  /** Bytes of the record that it shares with the other events of its list; 0 where it has a record of its own. */
  readonly shared: number;
  /** Calls made in the present round. */
  quickAttempts: number;
  /** A call of it has met a hold. */
  wasHeld: boolean;
  /** Its partition can go no further before it is finished. */
  mustYield: boolean;
  /** It will never work, and waits for the dead-letter topic to be open to it. */
  verdict: Dead | undefined;
  /** It was refused, by an answer that holds the stream. */
  suspicion: Suspicion | undefined;
}

/**
 * Everything that one join of the group has brought. The next join begins a new one from what is committed, and nothing
 * of the old one counts any more: that is what keeps late results from moving another owner's offsets.
 */
export interface Assignment {
  isLive: boolean;
  readonly lanes: Lanes<Held>;
}

const createHeld = ({ inlet, slot }: Pick<Held, "inlet" | "slot">, arrival: Arrival, isAlone: boolean): Held => {
  const body = arrival.meaning.kind === "call" ? arrival.meaning.body.length : 0;
  const value = arrival.record.value?.length ?? 0;
  return {
    inlet,
    slot,
    arrival,
    bytes: isAlone ? value + body : body,
    shared: isAlone ? 0 : value,
    quickAttempts: 0,
    wasHeld: false,
    mustYield: false,
    verdict: undefined,
    suspicion: arrival.past.reason === "throttled" ? throttledBefore() : undefined,
  };
};

/** A list whose schema came late was parked as one record, when nobody knew its events; from now on they count. */
const unpack = ({ tier, chains }: Inlet, origin: Origin | undefined): void => {
  if (tier === undefined || origin?.index === undefined) return;
  const id = recordKeyOf(origin);
  chains.finished(id, id);
};

/** The events of a record that an earlier owner has not finished. */
export const holdEvents = (inlet: Inlet, slot: Slot, arrivals: readonly Arrival[]): Held[] => {
  const [first] = arrivals;
  unpack(inlet, first?.past.origin);
  if (first && arrivals.length === 1) return [createHeld({ inlet, slot }, first, true)];
  const left = slot.done?.size ? arrivals.filter((_, index) => !slot.done?.has(index)) : arrivals;
  return left.map((arrival) => createHeld({ inlet, slot }, arrival, false));
};

/** Whether a record may go now, seen from those of its user that wait in the tiers. */
export const turnOf = ({ arrival, inlet, slot }: Held): Turn => {
  const { tier, chains } = inlet;
  if (tier === undefined && chains.isEmpty) return { kind: "deliver" };
  const place = tier === undefined ? undefined : { tier, offset: slot.offset };
  return chains.turnOf(arrival.user, eventKeyOf(arrival.past.origin), place);
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
