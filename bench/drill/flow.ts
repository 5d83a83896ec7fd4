import { setTimeout as sleep } from "node:timers/promises";

import avsc from "avsc";

import type { JsonObject } from "../../src/core/json/json.ts";
import { encodeEvent } from "../../src/decoding/encoder.ts";
import { frame } from "../../src/decoding/frame.ts";
import { compressionType } from "../../src/kafka/codecs/codecs.ts";
import type { DrillCluster } from "./cluster.ts";
import { createEvents, grownUser, type EventMix, type OutgoingEvent } from "./events.ts";
import type { Ledger } from "./ledger.ts";
import { compressionOf, names } from "./topics.ts";

const batchEveryMs = 100;
const maxBatch = 1_000;
/** How many of the newest records are kept, so that the producer can send them again. */
const maxRecent = 2_000;

export interface EventFlow {
  /** Mixes in events that the target rejects, or values that cannot be decoded. `share` is from 0 to 1. */
  readonly mixIn: (kind: "refused" | "poison", share: number) => void;
  /** Encodes with the next schema from now on. Running instances must load it from the registry. */
  readonly useNextSchema: () => void;
  /** Sends the newest records again, in order. */
  readonly repeat: (count: number) => void;
  /** Ids of the records that were sent again. */
  readonly repeated: ReadonlySet<string>;
  /** From now on some events come from users of this added partition. */
  readonly useNewPartition: (partition: number) => void;
  /** Whether the target has accepted an event of a user of this added partition. */
  readonly hasArrivedFrom: (partition: number) => boolean;
  /** Sends nothing to the second source until `startSecond`. Resolves when all earlier records are acknowledged. */
  readonly stopSecond: () => Promise<void>;
  /** Sends to the second source again, which is a new topic: its earlier records are deleted. */
  readonly startSecond: () => void;
  /** Ids of records in deleted source topics. */
  readonly deletedIds: readonly string[];
  readonly sent: () => number;
  /** Stops producing. Resolves when the last event is acknowledged. */
  readonly stop: () => Promise<void>;
  /** Rejects if producing fails. */
  readonly running: Promise<void>;
}

export interface EventFlowOptions {
  readonly cluster: DrillCluster;
  readonly ledger: Ledger;
  readonly seed: number;
  readonly users: number;
  /** Events per second. */
  readonly rate: number;
}

const encoders = ({ schemas }: DrillCluster) =>
  schemas.map(({ id, text }) => {
    const type = avsc.Type.forSchema(JSON.parse(text));
    return (event: JsonObject) => frame(id, encodeEvent(event, type));
  });

/**
 * Sends one request per partition. If a leader changes while kafkajs retries a request for several partitions, kafkajs takes
 * the new leader's earlier response for the moved partition: it loses acknowledged records and writes others twice.
 */
const sendEach = async (
  { producer }: DrillCluster,
  records: readonly OutgoingEvent[],
  batch: number,
): Promise<void> => {
  const compression = compressionType(compressionOf(batch));
  const groups = Map.groupBy(records, ({ topic, message }) => `${topic}/${message.partition}`).values();
  const send = async (group: readonly OutgoingEvent[]): Promise<void> => {
    const [{ topic } = { topic: "" }] = group;
    const messages = group.map(({ message }) => message);
    const results = await producer.send({ topic, acks: -1, compression, messages });
    if (results.length !== 1) throw new Error(`Cannot send to ${topic}: kafkajs does not know this partition yet`);
  };
  await Promise.all(Array.from(groups, send));
};

const createRepeats = () => {
  const recent: OutgoingEvent[] = [];
  const waiting: OutgoingEvent[] = [];
  const repeated = new Set<string>();
  return {
    repeated,
    /** The records to repeat now, without those for a topic that is being created again. */
    take: (hasSecond: boolean): OutgoingEvent[] =>
      waiting.splice(0).filter(({ topic }) => hasSecond || topic !== names.second),
    remember: (records: readonly OutgoingEvent[]): void => {
      recent.push(...records);
      recent.splice(0, Math.max(0, recent.length - maxRecent));
    },
    repeat: (count: number): void => {
      waiting.push(...recent.slice(-count));
      for (const { id } of waiting) repeated.add(id);
    },
  };
};

/** Sends records and counts them. */
const createSender = (cluster: DrillCluster) => {
  const deletedIds: string[] = [];
  let inSecond: string[] = [];
  let sent = 0;
  let batches = 0;
  let sending = Promise.resolve();
  const send = async (records: readonly OutgoingEvent[]): Promise<void> => {
    await sendEach(cluster, records, batches++);
    sent += records.length;
    inSecond.push(...records.filter(({ topic }) => topic === names.second).map(({ id }) => id));
  };
  return {
    send: (records: readonly OutgoingEvent[]): Promise<void> => {
      sending = send(records);
      return sending;
    },
    /** Resolves when the current request is acknowledged. */
    idle: (): Promise<void> => sending,
    sent: (): number => sent,
    deletedIds,
    forgetSecond: (): void => {
      deletedIds.push(...inSecond);
      inSecond = [];
    },
  };
};

interface ProduceOptions {
  readonly rate: number;
  readonly signal: AbortSignal;
  readonly send: (records: readonly OutgoingEvent[]) => Promise<void>;
  readonly makeFresh: () => OutgoingEvent;
  readonly repeats: ReturnType<typeof createRepeats>;
  readonly mix: EventMix;
}

/** Produces at an even rate. After a broker outage it catches up. */
const produce = async ({ rate, signal, send, makeFresh, repeats, mix }: ProduceOptions): Promise<void> => {
  const startedAt = performance.now();
  for (let sent = 0; !signal.aborted;) {
    await sleep(batchEveryMs);
    const missingCount = Math.floor(((performance.now() - startedAt) * rate) / 1_000) - sent;
    const fresh = Array.from({ length: Math.min(missingCount, maxBatch) }, makeFresh);
    const records = [...repeats.take(mix.hasSecond), ...fresh];
    if (records.length > 0) await send(records);
    repeats.remember(fresh);
    sent += fresh.length;
  }
};

const hasArrivedFrom = ({ entries }: Ledger, partition: number): boolean => {
  const [from, to] = [grownUser(partition), grownUser(partition + 1)];
  for (const { user, first } of entries.values()) {
    const number = Number(user.slice(1));
    if (first && number >= from && number < to) return true;
  }
  return false;
};

/** Starts to produce. */
export const startEventFlow = ({ cluster, ledger, seed, users, rate }: EventFlowOptions): EventFlow => {
  const mix: EventMix = { shares: { refused: 0, poison: 0 }, hasSecond: true, grown: [] };
  const next = createEvents({ ledger, seed, users, mix });
  const repeats = createRepeats();
  const sender = createSender(cluster);
  const [first = () => Buffer.alloc(0), ...later] = encoders(cluster);
  let encode = first;
  const stopping = new AbortController();
  const makeFresh = (): OutgoingEvent => next(encode);
  const running = produce({ rate, signal: stopping.signal, send: sender.send, makeFresh, repeats, mix });
  return {
    mixIn: (kind, share) => {
      mix.shares[kind] = share;
    },
    useNextSchema: () => {
      encode = later.shift() ?? encode;
    },
    repeat: repeats.repeat,
    repeated: repeats.repeated,
    useNewPartition: (partition) => void mix.grown.push(partition),
    hasArrivedFrom: (partition) => hasArrivedFrom(ledger, partition),
    stopSecond: () => {
      mix.hasSecond = false;
      return sender.idle();
    },
    startSecond: () => {
      sender.forgetSecond();
      mix.hasSecond = true;
    },
    deletedIds: sender.deletedIds,
    sent: sender.sent,
    stop: () => {
      stopping.abort();
      return running;
    },
    running,
  };
};
