import type { Message } from "kafkajs";

import { createRandom, type Random } from "../../local/random.ts";
import type { JsonObject } from "../../src/core/json/json.ts";
import { idHeader } from "./cluster.ts";
import type { ExpectedOutcome, Ledger } from "./ledger.ts";
import { names, partitions, secondPartitions } from "./topics.ts";

/** Users fail in cohorts. Each event names its user's cohort. */
export const cohorts = 50;
/** The track event that the target always rejects. */
export const refusedEvent = "Never Good";

/** The share of events from the few busy users. */
const busyPercent = 30;
const busyUsers = 200;
/** The shares of events for the second source and, if there are any, for added partitions. */
const secondPercent = 10;
const grownPercent = 10;
/** The first user numbers of the second source and of the added partitions. */
const secondFrom = 1_000_000;
const grownFrom = 2_000_000;
const usersPerRange = 500;

export const cohortOf = (user: string): number => Number(user.slice(1)) % cohorts;
export const cohortName = (cohort: number): string => `cohort-${cohort}`;

/** A record to send to a source. */
export interface OutgoingEvent {
  readonly id: string;
  readonly topic: string;
  readonly message: Message & { readonly partition: number };
}

/** What faults change about the events that are created. */
export interface EventMix {
  readonly shares: Record<"refused" | "poison", number>;
  hasSecond: boolean;
  /** The added partitions. */
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

interface EventUser {
  readonly user: string;
  readonly topic: string;
  readonly partition: number;
}

/** The number of the first user of an added partition. */
export const grownUser = (partition: number): number => grownFrom + partition * usersPerRange;

const createUserPicker =
  ({ users, random, mix }: { users: number; random: Random; mix: EventMix }) =>
  (): EventUser => {
    const percent = random.below(100);
    if (mix.hasSecond && percent < secondPercent) {
      const number = secondFrom + random.below(usersPerRange);
      return { user: `u${number}`, topic: names.second, partition: number % secondPartitions };
    }
    if (mix.grown.length > 0 && percent < secondPercent + grownPercent) {
      const partition = mix.grown[random.below(mix.grown.length)] ?? 0;
      return { user: `u${grownUser(partition) + random.below(usersPerRange)}`, topic: names.source, partition };
    }
    const number = random.below(random.below(100) < busyPercent ? busyUsers : users);
    return { user: `u${number}`, topic: names.source, partition: number % partitions };
  };

/** Creates events of all kinds, in order per user, and records them in the ledger. */
export const createEvents = (options: { ledger: Ledger; seed: number; users: number; mix: EventMix }) => {
  const { ledger, seed, users, mix } = options;
  const random = createRandom(seed ^ 0xd1211);
  const pickUser = createUserPicker({ users, random, mix });
  const seqs = new Map<string, number>();
  const pickKind = (): { expected: ExpectedOutcome; type: string; event?: string } => {
    if (random.next() < mix.shares.refused) return { expected: "dead", type: "track", event: refusedEvent };
    const percent = random.below(100);
    if (percent < 5) return { expected: "skip", type: "page" };
    if (percent < 20) return { expected: "deliver", type: "identify" };
    return { expected: "deliver", type: "track", event: "Order Completed" };
  };
  return (encode: (event: JsonObject) => Buffer): OutgoingEvent => {
    const { user, topic, partition } = pickUser();
    const seq = (seqs.get(user) ?? 0) + 1;
    seqs.set(user, seq);
    const isPoison = random.next() < mix.shares.poison;
    const { expected, ...kind } = pickKind();
    const id = `${user}-${seq}`;
    ledger.produce({ id, user, seq, expected: isPoison ? "dead" : expected }, Date.now());
    const value = isPoison ? Buffer.from([0, 0, 0, random.below(256)]) : encode(eventOf(user, seq, kind));
    return { id, topic, message: { key: user, value, headers: { [idHeader]: id }, partition } };
  };
};
