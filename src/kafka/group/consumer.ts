import type { Batch, Cluster, Consumer, EachBatchPayload, Kafka } from "kafkajs";

import type { Commit } from "../../offsets/tracker.ts";
import { patientRetry } from "../client.ts";
import { isRefusal } from "../topics/refusals.ts";
import { type AssignerOptions, createAssigner } from "./assigner.ts";
import type { Coordinator } from "./coordinator-proxy.ts";
import { Comeback, type ComebackOptions } from "./restart.ts";
import { tellSigns } from "./silence-events.ts";
import type { Silence } from "./silence.ts";

export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

export interface ConsumerOptions
  extends
    Pick<ComebackOptions, "pause" | "monotonic" | "onProblem">,
    Pick<AssignerOptions, "tiers" | "owned" | "beforeJoin" | "onOutOfRange" | "onUnreadable"> {
  readonly kafka: Kafka;
  readonly groupId: string;
  readonly topics: readonly string[];
  readonly sessionTimeoutMs: number;
  readonly onJoin: (owned: readonly TopicPartition[]) => void;
  /** Takes up a batch, or the first part of it, and resolves the offsets taken. */
  readonly onBatch: (batch: Batch, resolve: (offset: number) => void) => Promise<void>;
  /** Fetched records that nobody is to see (markers of transactions, aborted ones), up to this offset. */
  readonly onFiltered: (place: TopicPartition & { lastOffset: number }) => void;
  /** The group has answered this member. */
  readonly onContact: () => void;
  /** Whether the rights are there without which this member must not join. Asked after the cluster has refused one. */
  readonly mayJoin: () => Promise<boolean>;
  /** Is told of every sign of life. */
  readonly silence: Silence;
  /** The consumer has ended for good, or code of ours has thrown: the process must not go on. */
  readonly onFatal: (error: Error) => void;
}

/** How long the broker waits at most before it answers an empty fetch; also how long a resume may take. */
const maxWaitMs = 250;

/** A topic that was made, deleted or given more partitions is noticed after so long. */
const metadataMaxAgeMs = 10_000;

const partitionsOf = (assignment: Record<string, number[]>): TopicPartition[] =>
  Object.entries(assignment).flatMap(([topic, partitions]) => partitions.map((partition) => ({ topic, partition })));

/** kafkajs as a source of batches and a keeper of offsets, and nothing else: nothing that it calls throws or waits. */
export class GroupConsumer {
  readonly #options: ConsumerOptions;
  readonly #consumer: Consumer;
  readonly #comeback: Comeback;
  #coordinator: Coordinator | undefined;
  #cluster: Cluster | undefined;
  /** How many commits the broker has confirmed: a commit's promise may resolve without one. */
  #confirmed = 0;
  /** From a join to the consumer's end: kafkajs throws where anything is asked of it outside that. */
  #isRunning = false;

  constructor(options: ConsumerOptions) {
    this.#options = options;
    const { kafka, groupId, sessionTimeoutMs, tiers, owned, silence } = options;
    const beforeJoin = (): Promise<void> => {
      silence.joining();
      return options.beforeJoin();
    };
    const onCoordinator = (coordinator: Coordinator): void => void (this.#coordinator = coordinator);
    const onOutOfRange = this.#guarded(options.onOutOfRange);
    const onUnreadable = this.#guarded(options.onUnreadable);
    const hooks = { beforeJoin, onCoordinator, onOutOfRange, onUnreadable };
    const assigner = createAssigner({ tiers, owned, monotonic: options.monotonic, ...hooks });
    this.#consumer = kafka.consumer({
      groupId,
      sessionTimeout: sessionTimeoutMs,
      rebalanceTimeout: 60_000,
      heartbeatInterval: 1_000,
      maxWaitTimeInMs: maxWaitMs,
      metadataMaxAge: metadataMaxAgeMs,
      // Larger than most producers' batches, small enough for a fetch to be worked off while it is young.
      maxBytesPerPartition: 160 * 1024,
      // As compressed: kafkajs unpacks all that a fetch brings before it hands over any of it, ten times as much or more.
      maxBytes: 1024 * 1024,
      retry: patientRetry,
      partitionAssigners: [
        (parts) => {
          this.#cluster = parts.cluster;
          return assigner(parts);
        },
      ],
      allowAutoTopicCreation: false,
    });
    this.#comeback = new Comeback({ ...options, mayStart: () => this.#mayStart(), start: () => this.start() });
    this.#listen();
    tellSigns(this.#consumer, silence);
  }

  /** The brokers that it fetches from. */
  get brokers(): readonly string[] {
    return this.#cluster?.getNodeIds().map(String) ?? [];
  }

  /** Connects, joins the group and begins to fetch; throws where no broker can be reached for long. */
  async start(): Promise<void> {
    await this.#consumer.connect();
    await this.#consumer.subscribe({ topics: [...this.#options.topics], fromBeginning: true });
    await this.#consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      eachBatch: (payload) => this.#take(payload),
    });
  }

  pause([{ topic, partition }]: readonly [TopicPartition]): void {
    if (this.#isRunning) this.#consumer.pause([{ topic, partitions: [partition] }]);
  }

  resume({ topic, partition }: TopicPartition): void {
    if (this.#isRunning) this.#consumer.resume([{ topic, partitions: [partition] }]);
  }

  seek({ topic, partition }: TopicPartition, offset: number): void {
    if (this.#isRunning) this.#consumer.seek({ topic, partition, offset: String(offset) });
  }

  /** Commits; true only when the broker has confirmed it. */
  async commit(commits: readonly (TopicPartition & Commit)[]): Promise<boolean> {
    const before = this.#confirmed;
    this.#coordinator?.allowCommit();
    await this.#consumer.commitOffsets(commits.map(({ offset, ...rest }) => ({ ...rest, offset: String(offset) })));
    return this.#confirmed > before;
  }

  /** Leaves the group. */
  stop(): Promise<void> {
    this.#comeback.stop();
    return this.#consumer.disconnect();
  }

  async #take(payload: EachBatchPayload): Promise<void> {
    if (payload.isStale() || !payload.isRunning()) return;
    try {
      await this.#options.onBatch(payload.batch, (offset) => payload.resolveOffset(String(offset)));
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Leaves the group for good before it asks: those who may still take part need not wait for this member. */
  async #mayStart(): Promise<boolean> {
    await this.#consumer.connect();
    await this.#coordinator?.locate();
    await this.#coordinator?.leaveBehind();
    await this.#coordinator?.ask(this.#options.groupId);
    return this.#options.mayJoin();
  }

  #fail(error: unknown): void {
    this.#options.onFatal(error instanceof Error ? error : new Error(String(error)));
  }

  #listen(): void {
    const { HEARTBEAT, GROUP_JOIN, COMMIT_OFFSETS, END_BATCH_PROCESS, STOP, CRASH } = this.#consumer.events;
    const { onContact, onJoin, onFiltered } = this.#options;
    const joined = this.#guarded(onJoin);
    const filtered = this.#guarded(onFiltered);
    const heard = this.#guarded(onContact);
    this.#consumer.on(HEARTBEAT, heard);
    this.#consumer.on(GROUP_JOIN, ({ payload }) => {
      this.#isRunning = true;
      heard(undefined);
      joined(partitionsOf(payload.memberAssignment));
    });
    this.#consumer.on(COMMIT_OFFSETS, () => {
      this.#confirmed++;
      heard(undefined);
    });
    this.#consumer.on(END_BATCH_PROCESS, ({ payload }) => {
      const { topic, partition, batchSize, lastOffset } = payload;
      if (batchSize === 0) filtered({ topic, partition, lastOffset: Number(lastOffset) });
    });
    this.#consumer.on(STOP, () => void (this.#isRunning = false));
    this.#consumer.on(CRASH, ({ payload }) => {
      if (payload.restart) return;
      if (isRefusal(payload.error)) this.#comeback.begin(payload.error).catch((error: unknown) => this.#fail(error));
      else this.#options.onFatal(payload.error);
    });
  }

  /** kafkajs takes some of our exceptions for the end of the consumer and repeats others: it must never see one. */
  #guarded<T>(tell: (what: T) => void): (what: T) => void {
    return (what) => {
      try {
        tell(what);
      } catch (error) {
        this.#fail(error);
      }
    };
  }
}
