import type { Batch, Cluster, Consumer, EachBatchPayload, Kafka } from "kafkajs";

import { toError } from "../../core/to-error.ts";
import type { OffsetCommit } from "../../offsets/tracker.ts";
import { patientRetry } from "../client.ts";
import { isAuthorizationError } from "../rights/authorization-errors.ts";
import type { TopicPartition } from "../topic-partition.ts";
import { type AssignerOptions, createAssigner } from "./assigner.ts";
import { attachWatchdog } from "./attach-watchdog.ts";
import { ConsumerRestart, type ConsumerRestartOptions } from "./consumer-restart.ts";
import type { ConsumerWatchdog } from "./consumer-watchdog.ts";
import type { CoordinatorProxy } from "./coordinator-proxy.ts";

export interface ConsumerOptions
  extends
    Pick<ConsumerRestartOptions, "pause" | "monotonicNow" | "onProblem">,
    Pick<AssignerOptions, "retryTopics" | "ownedNumbers" | "beforeJoin" | "onOutOfRange" | "onUnreadable"> {
  readonly kafka: Kafka;
  readonly groupId: string;
  readonly topics: readonly string[];
  readonly sessionTimeoutMs: number;
  /** The member has joined the group and owns these partitions. */
  readonly onJoin: (assigned: readonly TopicPartition[]) => void;
  /** Accepts the records of a batch, or the first of them, and resolves the offsets that it has accepted. */
  readonly onBatch: (batch: Batch, resolve: (offset: number) => void) => Promise<void>;
  /** A fetch brought no records but transaction markers and aborted records, up to this offset. */
  readonly onHiddenRecords: (topicPartition: TopicPartition & { lastOffset: number }) => void;
  /** The group has answered a heartbeat, a commit or a join. */
  readonly onHeartbeat: () => void;
  /** Whether this user has the rights without which the member must not join. Called after the cluster has refused one. */
  readonly mayJoin: () => Promise<boolean>;
  readonly watchdog: ConsumerWatchdog;
  /** The consumer has ended for good, or a callback has thrown: the process must end. */
  readonly onFatal: (error: Error) => void;
}

/** The longest time that a broker waits before it answers a fetch without records, and that a resume may take. */
const fetchMaxWaitMs = 250;

/** The consumer notices after this time that a topic was created, deleted or got more partitions. */
const metadataMaxAgeMs = 10_000;

const topicPartitionsOf = (assignment: Record<string, number[]>): TopicPartition[] =>
  Object.entries(assignment).flatMap(([topic, partitions]) => partitions.map((partition) => ({ topic, partition })));

/** kafkajs's consumer, used only to fetch batches and commit offsets. No callback that it gets throws. */
export class GroupConsumer {
  readonly #options: ConsumerOptions;
  readonly #consumer: Consumer;
  readonly #restart: ConsumerRestart;
  #coordinator: CoordinatorProxy | undefined;
  #cluster: Cluster | undefined;
  /** How many commits the broker has confirmed: kafkajs may resolve the promise of a commit that it has not sent. */
  #confirmedCommits = 0;
  /** From the first join to the end of the consumer. At other times kafkajs throws if it is asked to pause, resume or seek. */
  #isRunning = false;

  constructor(options: ConsumerOptions) {
    this.#options = options;
    const { kafka, groupId, sessionTimeoutMs, retryTopics, ownedNumbers, watchdog } = options;
    const beforeJoin = (): Promise<void> => {
      watchdog.onJoining();
      return options.beforeJoin();
    };
    const onCoordinator = (coordinator: CoordinatorProxy): void => void (this.#coordinator = coordinator);
    const onOutOfRange = this.#reportingErrors(options.onOutOfRange);
    const onUnreadable = this.#reportingErrors(options.onUnreadable);
    const hooks = { beforeJoin, onCoordinator, onOutOfRange, onUnreadable };
    const assigner = createAssigner({ retryTopics, ownedNumbers, monotonicNow: options.monotonicNow, ...hooks });
    this.#consumer = kafka.consumer({
      groupId,
      sessionTimeout: sessionTimeoutMs,
      rebalanceTimeout: 60_000,
      heartbeatInterval: 1_000,
      maxWaitTimeInMs: fetchMaxWaitMs,
      metadataMaxAge: metadataMaxAgeMs,
      // Larger than most producers' batches, and small enough to process a fetch before it is old.
      maxBytesPerPartition: 160 * 1024,
      // Compressed bytes: kafkajs decompresses a whole fetch, to ten times its size or more, before it passes on any batch.
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

  /** The node ids of the brokers that the consumer knows. */
  get brokers(): readonly string[] {
    return this.#cluster?.getNodeIds().map(String) ?? [];
  }

  /** Connects, joins the group and starts to fetch. Throws if no broker answers during all of kafkajs's retries. */
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

  /** Commits these offsets. True if the broker has confirmed them. */
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

  /** Leaves the group before it checks the rights, so that the other members do not wait for this one. */
  async #mayStart(): Promise<boolean> {
    await this.#consumer.connect();
    await this.#coordinator?.rediscover();
    await this.#coordinator?.leaveIfStillMember();
    await this.#coordinator?.checkGroupAccess(this.#options.groupId);
    return this.#options.mayJoin();
  }

  #reportFatal(error: unknown): void {
    this.#options.onFatal(toError(error));
  }

  #listen(): void {
    const { HEARTBEAT, GROUP_JOIN, COMMIT_OFFSETS, END_BATCH_PROCESS, STOP, CRASH } = this.#consumer.events;
    const { onHeartbeat, onJoin, onHiddenRecords } = this.#options;
    const notifyJoined = this.#reportingErrors(onJoin);
    const notifyHidden = this.#reportingErrors(onHiddenRecords);
    const notifyHeartbeat = this.#reportingErrors(onHeartbeat);
    this.#consumer.on(HEARTBEAT, notifyHeartbeat);
    this.#consumer.on(GROUP_JOIN, ({ payload }) => {
      this.#isRunning = true;
      notifyHeartbeat(undefined);
      notifyJoined(topicPartitionsOf(payload.memberAssignment));
    });
    this.#consumer.on(COMMIT_OFFSETS, () => {
      this.#confirmedCommits++;
      notifyHeartbeat(undefined);
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

  /** kafkajs ends the consumer at some exceptions of a callback and repeats others, so it must never see one. */
  #reportingErrors<T>(callback: (event: T) => void): (event: T) => void {
    return (event) => {
      try {
        callback(event);
      } catch (error) {
        this.#reportFatal(error);
      }
    };
  }
}
