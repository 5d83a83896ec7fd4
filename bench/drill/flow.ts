import { setTimeout as sleep } from "node:timers/promises";

import avsc from "avsc";
import type { Message } from "kafkajs";

import { createRandom } from "../../local/random.ts";
import type { JsonObject } from "../../src/core/event.ts";
import { encodeEvent, frame } from "../../src/intake/encode.ts";
import type { Fate, Ledger } from "./ledger.ts";
import { idHeader, names, partitions, type Stage } from "./stage.ts";

/** Users fail in cohorts: each event carries its user's. */
export const cohorts = 50;
/** The track event that the target refuses for good. */
export const refusedEvent = "Never Good";

const batchEveryMs = 100;
const maxBatch = 1_000;
/** Of a hundred events, how many come from the few busy users. */
const busyPercent = 30;
const busyUsers = 200;

export interface Flow {
  /** Mixes in events that the target refuses, or values that nobody can decode; 0 to 1 of all. */
  readonly mixIn: (kind: "refused" | "poison", share: number) => void;
  /** From now on the next schema is used: running instances have to ask the registry for it. */
  readonly nextSchema: () => void;
  readonly sent: () => number;
  /** Resolves when the last event is acknowledged. */
  readonly stop: () => Promise<void>;
  /** Rejects when it cannot go on. */
  readonly running: Promise<void>;
}

export interface FlowOptions {
  readonly stage: Stage;
  readonly ledger: Ledger;
  readonly seed: number;
  readonly users: number;
  /** Events a second. */
  readonly rate: number;
}

export const cohortOf = (user: string): number => Number(user.slice(1)) % cohorts;
export const cohortName = (cohort: number): string => `cohort-${cohort}`;

const eventOf = (user: string, seq: number, kind: { type: string; event?: string }): JsonObject => ({
  ...kind,
  messageId: `${user}-${seq}`,
  userId: user,
  timestamp: new Date().toISOString(),
  context: { groupId: cohortName(cohortOf(user)), locale: "de-DE", library: { name: "drill", version: "1" } },
  properties: { seq, plan: "business", note: "x".repeat(120) },
});

/** Makes events of all kinds; each user's in order. */
const createEvents = ({ ledger, seed, users }: FlowOptions, shares: Record<"refused" | "poison", number>) => {
  const random = createRandom(seed ^ 0xd1211);
  const seqs = new Map<string, number>();
  const kindOf = (): { fate: Fate; type: string; event?: string } => {
    if (random.next() < shares.refused) return { fate: "dead", type: "track", event: refusedEvent };
    const dice = random.below(100);
    if (dice < 5) return { fate: "skip", type: "page" };
    if (dice < 20) return { fate: "deliver", type: "identify" };
    return { fate: "deliver", type: "track", event: "Order Completed" };
  };
  return (encode: (event: JsonObject) => Buffer): Message => {
    const user = `u${random.below(random.below(100) < busyPercent ? busyUsers : users)}`;
    const seq = (seqs.get(user) ?? 0) + 1;
    seqs.set(user, seq);
    const isPoison = random.next() < shares.poison;
    const { fate, ...kind } = kindOf();
    const id = `${user}-${seq}`;
    ledger.produce({ id, user, seq, fate: isPoison ? "dead" : fate }, Date.now());
    const value = isPoison ? Buffer.from([0, 0, 0, random.below(256)]) : encode(eventOf(user, seq, kind));
    return { key: user, value, headers: { [idHeader]: id }, partition: Number(user.slice(1)) % partitions };
  };
};

const encoders = ({ schemas }: Stage) =>
  schemas.map(({ id, text }) => {
    const type = avsc.Type.forSchema(JSON.parse(text));
    return (event: JsonObject) => frame(id, encodeEvent(event, type));
  });

/**
 * One request a partition. Where a partition's leader changes while a request of several is repeated, kafkajs takes the new leader's
 * earlier answer for the moved partition's: acknowledged records are lost, and others are written twice.
 */
const sendEach = async ({ producer }: Stage, messages: readonly Message[]): Promise<void> => {
  const groups = Map.groupBy(messages, ({ partition }) => partition).values();
  await Promise.all(Array.from(groups, (group) => producer.send({ topic: names.source, acks: -1, messages: group })));
};

/** Begins to produce, at an even rate; what a broker's loss held up is made up for. */
export const startFlow = (options: FlowOptions): Flow => {
  const { stage, rate } = options;
  const shares = { refused: 0, poison: 0 };
  const next = createEvents(options, shares);
  const [first = () => Buffer.alloc(0), ...later] = encoders(stage);
  let encode = first;
  let sent = 0;
  const stopping = new AbortController();

  const run = async (): Promise<void> => {
    const startedAt = performance.now();
    while (!stopping.signal.aborted) {
      await sleep(batchEveryMs);
      const due = Math.floor(((performance.now() - startedAt) * rate) / 1_000) - sent;
      const messages = Array.from({ length: Math.min(due, maxBatch) }, () => next(encode));
      if (messages.length === 0) continue;
      await sendEach(stage, messages);
      sent += messages.length;
    }
  };
  const running = run();
  return {
    mixIn: (kind, share) => {
      shares[kind] = share;
    },
    nextSchema: () => {
      encode = later.shift() ?? encode;
    },
    sent: () => sent,
    stop: () => {
      stopping.abort();
      return running;
    },
    running,
  };
};
