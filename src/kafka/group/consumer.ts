import type { Batch, Cluster, Consumer, EachBatchPayload, Kafka } from "kafkajs";

import type { OffsetCommit } from "../../offsets/tracker.ts";
import { patientRetry } from "../client.ts";
import { isAuthorizationError } from "../topics/refusals.ts";
import { type AssignerOptions, createAssigner } from "./assigner.ts";
import type { CoordinatorProxy } from "./coordinator-proxy.ts";
import { ConsumerRestart, type ConsumerRestartOptions } from "./restart.ts";
import { attachWatchdog } from "./silence-events.ts";
import type { ConsumerWatchdog } from "./silence.ts";

export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

export interface ConsumerOptions
  extends
    Pick<ConsumerRestartOptions, "pause" | "monotonicNow" | "onProblem">,
    Pick<AssignerOptions, "retryTopics" | "ownedNumbers" | "beforeJoin" | "onOutOfRange" | "onUnreadable"> {
  readonly kafka: Kafka;
  readonly groupId: string;
  readonly topics: readonly string[];
  readonly sessionTimeoutMs: number;
  readonly onJoin: (ownedNumbers: readonly TopicPartition[]) => void;
  /** Takes up a batch, or the first part of it, and resolves the offsets taken. */
  readonly onBatch: (batch: Batch, resolve: (offset: number) => void) => Promise<void>;
  /** Fetched records that nobody is to see (markers of transactions, aborted ones), up to this offset. */
  readonly onHiddenRecords: (topicPartition: TopicPartition & { lastOffset: number }) => void;
  /** The group has answered this member. */
  readonly onHeartbeat: () => void;
  /** Whether the rights are there without which this member must not join. Asked after the cluster has refused one. */
  readonly mayJoin: () => Promise<boolean>;
  /** Is told of every sign of life. */
  readonly watchdog: ConsumerWatchdog;
  /** The consumer has ended for good, or code of ours has thrown: the process must not go on. */
  readonly onFatal: (error: Error) => void;
}

/** How long the broker waits at most before it answers an empty fetch; also how long a resume may take. */
const fetchMaxWaitMs = 250;

/** A topic that was made, deleted or given more partitions is noticed after so long. */
const metadataMaxAgeMs = 10_000;

const topicPartitionsOf = (assignment: Record<string, number[]>): TopicPartition[] =>
  Object.entries(assignment).flatMap(([topic, partitions]) => partitions.map((partition) => ({ topic, partition })));

/** kafkajs as a source of batches and a keeper of offsets, and nothing else: nothing that it calls throws or waits. */
export class GroupConsumer {
  readonly #options: ConsumerOptions;
  readonly #consumer: Consumer;
  readonly #restart: ConsumerRestart;
  #coordinator: CoordinatorProxy | undefined;
  #cluster: Cluster | undefined;
  /** How many commits the broker has confirmed: a commit's promise may resolve without one. */
  #confirmedCommits = 0;
  /** From a join to the consumer's end: kafkajs throws where anything is asked of it outside that. */
  #isRunning = false;

  constructor(options: ConsumerOptions) {
    this.#options = options;
    const { kafka, groupId, sessionTimeoutMs, retryTopics, ownedNumbers, watchdog } = options;
    const beforeJoin = (): Promise<void> => {
      watchdog.onJoining();
      return options.beforeJoin();
    };
    const onCoordinator = (coordinator: CoordinatorProxy): void => void (this.#coordinator = coordinator);
    const onOutOfRange = this.#neverThrowing(options.onOutOfRange);
    const onUnreadable = this.#neverThrowing(options.onUnreadable);
    const hooks = { beforeJoin, onCoordinator, onOutOfRange, onUnreadable };
    const assigner = createAssigner({ retryTopics, ownedNumbers, monotonicNow: options.monotonicNow, ...hooks });
    this.#consumer = kafka.consumer({
      groupId,
      sessionTimeout: sessionTimeoutMs,
      rebalanceTimeout: 60_000,
      heartbeatInterval: 1_000,
      maxWaitTimeInMs: fetchMaxWaitMs,
      metadataMaxAge: metadataMaxAgeMs,
      // Larger than most producers' batches, small enough for a fetch to be worked off while it is young.
      maxBytesPerPartition: 160 * 1024,
      // As compressed: kafkajs unpacks all that a fetch brings before it hands over any of it, ten times as much or more.
      maxBytes: 1024 * 1024,
      retry: patientRetry,
      partitionAssigners: [
        (context) => {
          this.#cluster = context.cluster;
          return assigner(context);
        },
      ],
      allowAutoTopicCreation: false,
    });
    this.#restart = new ConsumerRestart({ ...options, mayStart: () => this.#mayStart(), start: () => this.start() });
    this.#listen();
    attachWatchdog(this.#consumer, watchdog);
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
      eachBatch: (payload) => this.#handleBatch(payload),
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
  async commit(commits: readonly (TopicPartition & OffsetCommit)[]): Promise<boolean> {
    const confirmedBefore = this.#confirmedCommits;
    this.#coordinator?.allowCommit();
    await this.#consumer.commitOffsets(commits.map(({ offset, ...commit }) => ({ ...commit, offset: String(offset) })));
    return this.#confirmedCommits > confirmedBefore;
  }

  /** Leaves the group. */
  stop(): Promise<void> {
    this.#restart.stop();
    return this.#consumer.disconnect();
  }

  async #handleBatch(payload: EachBatchPayload): Promise<void> {
    if (payload.isStale() || !payload.isRunning()) return;
    try {
      await this.#options.onBatch(payload.batch, (offset) => payload.resolveOffset(String(offset)));
    } catch (error) {
      this.#reportFatal(error);
    }
  }

  /** Leaves the group for good before it asks: those who may still take part need not wait for this member. */
  async #mayStart(): Promise<boolean> {
    await this.#consumer.connect();
    await this.#coordinator?.rediscover();
    await this.#coordinator?.leaveIfStillMember();
    await this.#coordinator?.checkGroupAccess(this.#options.groupId);
    return this.#options.mayJoin();
  }

  #reportFatal(error: unknown): void {
    this.#options.onFatal(error instanceof Error ? error : new Error(String(error)));
  }

  #listen(): void {
    const { HEARTBEAT, GROUP_JOIN, COMMIT_OFFSETS, END_BATCH_PROCESS, STOP, CRASH } = this.#consumer.events;
    const { onHeartbeat, onJoin, onHiddenRecords } = this.#options;
    const notifyJoined = this.#neverThrowing(onJoin);
    const notifyHidden = this.#neverThrowing(onHiddenRecords);
    const onAnswer = this.#neverThrowing(onHeartbeat);
    this.#consumer.on(HEARTBEAT, onAnswer);
    this.#consumer.on(GROUP_JOIN, ({ payload }) => {
      this.#isRunning = true;
      onAnswer(undefined);
      notifyJoined(topicPartitionsOf(payload.memberAssignment));
    });
    this.#consumer.on(COMMIT_OFFSETS, () => {
      this.#confirmedCommits++;
      onAnswer(undefined);
    });
    this.#consumer.on(END_BATCH_PROCESS, ({ payload }) => {
      const { topic, partition, batchSize, lastOffset } = payload;
      if (batchSize === 0) notifyHidden({ topic, partition, lastOffset: Number(lastOffset) });
    });
    this.#consumer.on(STOP, () => void (this.#isRunning = false));
    this.#consumer.on(CRASH, ({ payload }) => {
      if (payload.restart) return;
      if (isAuthorizationError(payload.error))
        this.#restart.restart(payload.error).catch((error: unknown) => this.#reportFatal(error));
      else this.#options.onFatal(payload.error);
    });
  }

  /** kafkajs takes some of our exceptions for the end of the consumer and repeats others: it must never see one. */
  #neverThrowing<T>(callback: (event: T) => void): (event: T) => void {
    return (event) => {
      try {
        callback(event);
      } catch (error) {
        this.#reportFatal(error);
      }
    };
  }
}
