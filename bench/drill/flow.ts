import { setTimeout as sleep } from "node:timers/promises";

import avsc from "avsc";

import type { JsonObject } from "../../src/core/json/json.ts";
import { encodeEvent } from "../../src/decoding/encoder.ts";
import { frame } from "../../src/decoding/frame.ts";
import { compressionType } from "../../src/kafka/codecs/codecs.ts";
import { createEvents, grownUser, type EventMix, type OutgoingEvent } from "./events.ts";
import type { Ledger } from "./ledger.ts";
import type { DrillCluster } from "./stage.ts";
import { compressionOf, names } from "./topics.ts";

const batchEveryMs = 100;
const maxBatch = 1_000;
/** The newest records, which the producer may send again. */
const maxRecent = 2_000;

export interface EventFlow {
  /** Mixes in events that the target refuses, or values that nobody can decode; 0 to 1 of all. */
  readonly mixIn: (kind: "refused" | "poison", share: number) => void;
  /** From now on the next schema is used: running instances have to ask the registry for it. */
  readonly nextSchema: () => void;
  /** Sends the newest records again, in their order. */
  readonly repeat: (count: number) => void;
  /** Ids of what was sent again. */
  readonly repeated: ReadonlySet<string>;
  /** Some events come from users of this partition from now on. */
  readonly useNewPartition: (partition: number) => void;
  readonly hasArrivedFrom: (partition: number) => boolean;
  /** Nothing goes to the second source until `startSecond`; resolves when all that went there is acknowledged. */
  readonly stopSecond: () => Promise<void>;
  /** The second source has been made anew: what was sent before lies nowhere any more. */
  readonly startSecond: () => void;
  /** Ids of the records in sources that were deleted. */
  readonly deletedIds: readonly string[];
  readonly sent: () => number;
  /** Resolves when the last event is acknowledged. */
  readonly stop: () => Promise<void>;
  /** Rejects when it cannot go on. */
  readonly running: Promise<void>;
}

export interface EventFlowOptions {
  readonly stage: DrillCluster;
  readonly ledger: Ledger;
  readonly seed: number;
  readonly users: number;
  /** Events a second. */
  readonly rate: number;
}

const encoders = ({ schemas }: DrillCluster) =>
  schemas.map(({ id, text }) => {
    const type = avsc.Type.forSchema(JSON.parse(text));
    return (event: JsonObject) => frame(id, encodeEvent(event, type));
  });

/**
 * One request a partition. Where a partition's leader changes while a request of several is repeated, kafkajs takes the new leader's
 * earlier answer for the moved partition's: acknowledged records are lost, and others are written twice.
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
    const answers = await producer.send({ topic, acks: -1, compression, messages });
    if (answers.length !== 1) throw new Error(`Cannot send to ${topic}: kafkajs does not know the partition yet`);
  };
  await Promise.all(Array.from(groups, send));
};

const createRepeats = () => {
  const recent: OutgoingEvent[] = [];
  const waiting: OutgoingEvent[] = [];
  const repeated = new Set<string>();
  return {
    repeated,
    /** Not to a topic that is being made anew. */
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

/** Sends records and keeps account of them. */
const createSender = (stage: DrillCluster) => {
  const vanished: string[] = [];
  let inSecond: string[] = [];
  let sent = 0;
  let batches = 0;
  let sending = Promise.resolve();
  const send = async (records: readonly OutgoingEvent[]): Promise<void> => {
    await sendEach(stage, records, batches++);
    sent += records.length;
    inSecond.push(...records.filter(({ topic }) => topic === names.second).map(({ id }) => id));
  };
  return {
    send: (records: readonly OutgoingEvent[]): Promise<void> => {
      sending = send(records);
      return sending;
    },
    /** Resolves when what is under way is acknowledged. */
    idle: (): Promise<void> => sending,
    sent: (): number => sent,
    vanished,
    secondVanished: (): void => {
      vanished.push(...inSecond);
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
  readonly mixture: EventMix;
}

/** At an even rate; what a broker's loss held up is made up for. */
const produce = async ({ rate, signal, send, makeFresh, repeats, mixture }: ProduceOptions): Promise<void> => {
  const startedAt = performance.now();
  for (let made = 0; !signal.aborted;) {
    await sleep(batchEveryMs);
    const due = Math.floor(((performance.now() - startedAt) * rate) / 1_000) - made;
    const fresh = Array.from({ length: Math.min(due, maxBatch) }, makeFresh);
    const records = [...repeats.take(mixture.hasSecond), ...fresh];
    if (records.length > 0) await send(records);
    repeats.remember(fresh);
    made += fresh.length;
  }
};

/** Whether the target has taken an event of a user of this partition, which came later. */
const hasArrivedFrom = ({ entries }: Ledger, partition: number): boolean => {
  const [from, to] = [grownUser(partition), grownUser(partition + 1)];
  for (const { user, first } of entries.values()) {
    const number = Number(user.slice(1));
    if (first && number >= from && number < to) return true;
  }
  return false;
};

/** Begins to produce. */
export const startFlow = ({ stage, ledger, seed, users, rate }: EventFlowOptions): EventFlow => {
  const mixture: EventMix = { shares: { refused: 0, poison: 0 }, hasSecond: true, grown: [] };
  const next = createEvents({ ledger, seed, users, mixture });
  const repeats = createRepeats();
  const sender = createSender(stage);
  const [first = () => Buffer.alloc(0), ...later] = encoders(stage);
  let encode = first;
  const stopping = new AbortController();
  const makeFresh = (): OutgoingEvent => next(encode);
  const running = produce({ rate, signal: stopping.signal, send: sender.send, makeFresh, repeats, mixture });
  return {
    mixIn: (kind, share) => {
      mixture.shares[kind] = share;
    },
    nextSchema: () => {
      encode = later.shift() ?? encode;
    },
    repeat: repeats.repeat,
    repeated: repeats.repeated,
    useNewPartition: (partition) => void mixture.grown.push(partition),
    hasArrivedFrom: (partition) => hasArrivedFrom(ledger, partition),
    stopSecond: () => {
      mixture.hasSecond = false;
      return sender.idle();
    },
    startSecond: () => {
      sender.secondVanished();
      mixture.hasSecond = true;
    },
    deletedIds: sender.vanished,
    sent: sender.sent,
    stop: () => {
      stopping.abort();
      return running;
    },
    running,
  };
};
