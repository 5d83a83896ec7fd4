import type { Message } from "kafkajs";

import { createRandom, type Random } from "../../local/random.ts";
import type { JsonObject } from "../../src/core/json/json.ts";
import type { Fate, Ledger } from "./ledger.ts";
import { idHeader } from "./stage.ts";
import { names, partitions, secondPartitions } from "./topics.ts";

/** Users fail in cohorts: each event carries its user's. */
export const cohorts = 50;
/** The track event that the target refuses for good. */
export const refusedEvent = "Never Good";

/** Of a hundred events, how many come from the few busy users. */
const busyPercent = 30;
const busyUsers = 200;
/** Of a hundred events, how many go to the second source, and how many to partitions that came later, if there are any. */
const secondPercent = 10;
const grownPercent = 10;
/** Users of the second source, and of each partition that came later, have numbers of their own from here on. */
const secondFrom = 1_000_000;
const grownFrom = 2_000_000;
const usersOfPlace = 500;

export const cohortOf = (user: string): number => Number(user.slice(1)) % cohorts;
export const cohortName = (cohort: number): string => `cohort-${cohort}`;

/** A record on its way into a source. */
export interface Sent {
  readonly id: string;
  readonly topic: string;
  readonly message: Message & { readonly partition: number };
}

/** What the drill's faults change while events are made. */
export interface Mixture {
  readonly shares: Record<"refused" | "poison", number>;
  hasSecond: boolean;
  /** The partitions that came later. */
  readonly grown: number[];
}

const eventOf = (user: string, seq: number, kind: { type: string; event?: string }): JsonObject => ({
  ...kind,
  messageId: `${user}-${seq}`,
  userId: user,
  timestamp: new Date().toISOString(),
  context: { groupId: cohortName(cohortOf(user)), locale: "de-DE", library: { name: "drill", version: "1" } },
  properties: { seq, plan: "business", note: "x".repeat(120) },
});

interface Author {
  readonly user: string;
  readonly topic: string;
  readonly partition: number;
}

/** The first user of a partition that came later. */
export const grownUser = (partition: number): number => grownFrom + partition * usersOfPlace;

const createAuthors =
  ({ users, random, mixture }: { users: number; random: Random; mixture: Mixture }) =>
  (): Author => {
    const dice = random.below(100);
    if (mixture.hasSecond && dice < secondPercent) {
      const number = secondFrom + random.below(usersOfPlace);
      return { user: `u${number}`, topic: names.second, partition: number % secondPartitions };
    }
    if (mixture.grown.length > 0 && dice < secondPercent + grownPercent) {
      const partition = mixture.grown[random.below(mixture.grown.length)] ?? 0;
      return { user: `u${grownUser(partition) + random.below(usersOfPlace)}`, topic: names.source, partition };
    }
    const number = random.below(random.below(100) < busyPercent ? busyUsers : users);
    return { user: `u${number}`, topic: names.source, partition: number % partitions };
  };

/** Makes events of all kinds; each user's in order. */
export const createEvents = (options: { ledger: Ledger; seed: number; users: number; mixture: Mixture }) => {
  const { ledger, seed, users, mixture } = options;
  const random = createRandom(seed ^ 0xd1211);
  const authorOf = createAuthors({ users, random, mixture });
  const seqs = new Map<string, number>();
  const kindOf = (): { fate: Fate; type: string; event?: string } => {
    if (random.next() < mixture.shares.refused) return { fate: "dead", type: "track", event: refusedEvent };
    const dice = random.below(100);
    if (dice < 5) return { fate: "skip", type: "page" };
    if (dice < 20) return { fate: "deliver", type: "identify" };
    return { fate: "deliver", type: "track", event: "Order Completed" };
  };
  return (encode: (event: JsonObject) => Buffer): Sent => {
    const { user, topic, partition } = authorOf();
    const seq = (seqs.get(user) ?? 0) + 1;
    seqs.set(user, seq);
    const isPoison = random.next() < mixture.shares.poison;
    const { fate, ...kind } = kindOf();
    const id = `${user}-${seq}`;
    ledger.produce({ id, user, seq, fate: isPoison ? "dead" : fate }, Date.now());
    const value = isPoison ? Buffer.from([0, 0, 0, random.below(256)]) : encode(eventOf(user, seq, kind));
    return { id, topic, message: { key: user, value, headers: { [idHeader]: id }, partition } };
  };
};
