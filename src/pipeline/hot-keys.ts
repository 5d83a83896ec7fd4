import { eventKeyOf } from "../core/outcome/headers.ts";
import type { Arrival } from "../core/parsed-record.ts";
import type { Chains } from "../ordering/retry-backlog.ts";
import { type Assignment, type Held, type Inlet, laneOf, sourceLaneOf } from "./work-item.ts";

/** Records of one user that may wait in memory while others need the room. */
const maxHeld = 500;
const largeBytes = 8 * 1024;

/**
 * Records that may wait in the tiers, of one user, of a partition number, and of all partition numbers of this member: their
 * chains are kept in memory. `npm run bench -- parked` tells how many bytes each takes.
 */
const maxParked = { ofUser: 10_000, ofNumber: 50_000, ofAll: 60_000 };

/** How far a limit must be left before a partition goes on, so that it does not flutter. */
const relief = { held: 0.5, parked: 0.9 };

/** Events that wait for another limit of dead letters leave room in the tiers for users whose events fail. */
const maxBacklog = 0.5;

/**
 * Whether as much of one of the arrivals' users waits as may: in memory for a tier, whose records cannot make way; in the
 * tiers for a source. Then it gives back how to ask whether there is room again.
 */
export const crowdOf = (
  assignment: Assignment,
  inlet: Inlet,
  arrivals: readonly Arrival[],
): (() => boolean) | undefined => {
  for (const { user } of arrivals) {
    const hasRoomAgain = crowdOfUser(assignment, inlet, user);
    if (hasRoomAgain) return hasRoomAgain;
  }
  return undefined;
};

const crowdOfUser = ({ lanes }: Assignment, inlet: Inlet, user: string): (() => boolean) | undefined => {
  const { tier, chains } = inlet;
  if (tier !== undefined) {
    const key = laneOf(inlet, user);
    return lanes.lengthOf(key) < maxHeld ? undefined : () => lanes.lengthOf(key) <= maxHeld * relief.held;
  }
  if (chains.records === 0) return undefined;
  const isBelow = (part: number): boolean =>
    chains.lengthOf(user) < maxParked.ofUser * part && hasRoomInTiers(chains, part);
  // A user with nobody in the tiers has nobody to wait for.
  const hasRoom = (part: number): boolean => chains.lengthOf(user) === 0 || isBelow(part);
  return hasRoom(1) ? undefined : () => hasRoom(relief.parked);
};

/**
 * Whether events of this source go to the tiers to wait for another limit of dead letters, and enough records are there already: each
 * may be of a user of its own, so that nothing else bounds them. Then it gives back how to ask whether there is room again.
 */
export const backlogOf = (
  { tier, topic, chains }: Inlet,
  isHeldIn: (topic: string) => boolean,
): (() => boolean) | undefined => {
  if (tier !== undefined || hasRoomInTiers(chains, maxBacklog) || !isHeldIn(topic)) return undefined;
  return () => hasRoomInTiers(chains, maxBacklog * relief.parked) || !isHeldIn(topic);
};

const hasRoomInTiers = ({ records, recordsOfAll }: Chains, part: number): boolean =>
  records < maxParked.ofNumber * part && recordsOfAll < maxParked.ofAll * part;

interface Shortage {
  /** Partitions that can go no further before their oldest event is finished. */
  readonly blocked: readonly Inlet[];
  /** No more can be taken up. */
  readonly isMemoryShort: boolean;
}

/** Large records count as several. */
const weightOf = ({ bytes, shared }: Held): number => Math.max(1, (bytes + shared) / largeBytes);

/** Marks who has to make way: users of whom too much waits, and events that block a partition. */
export const letMakeWay = ({ lanes }: Assignment, { blocked, isMemoryShort }: Shortage): void => {
  if (isMemoryShort) for (const lane of lanes.heavierThan(maxHeld, weightOf)) lane.mustYield = true;
  for (const inlet of blocked) {
    const { mark } = inlet.tracker;
    const oldest = lanes.find((held) => held.inlet === inlet && held.slot.offset === mark);
    if (oldest) oldest.mustYield = true;
  }
};

/**
 * Whether a record of a tier may be the copy of one that is just being written there, or meets a call of its user: the two
 * lanes of a user must never make a call each.
 */
export const isOnItsWay = ({ lanes }: Assignment, { inlet, arrival }: Held): boolean => {
  if (inlet.tier === undefined || inlet.chains.has(arrival.user, eventKeyOf(arrival.past.origin))) return false;
  return lanes.isTaken(sourceLaneOf(inlet, arrival.user));
};
