import { setTimeout as sleep } from "node:timers/promises";

// Node does not see this one among the named exports of kafkajs.
import kafkajs, { type Admin, type Kafka } from "kafkajs";

/** The committed offset of a partition, and what was written beside it. */
export interface Committed {
  readonly topic: string;
  readonly partition: number;
  /** Undefined where the group has not committed anything yet. */
  readonly offset: number | undefined;
  readonly metadata: string | null;
}

/** Where the log of a partition begins and ends (the end is the offset of the next record to come). */
export interface LogRange {
  readonly topic: string;
  readonly partition: number;
  readonly low: number;
  readonly high: number;
}

export interface TopicShape {
  readonly topic: string;
  readonly partitions: number;
  readonly replication: number;
}

/** How long a topic keeps its records. What the cluster does not tell counts as kept. */
export interface TopicConfig {
  readonly topic: string;
  /** `delete`, `compact` or both with a comma. */
  readonly cleanupPolicy: string;
  /** Milliseconds; -1: for ever. */
  readonly retentionMs: number;
  /** Per partition; -1: without limit. */
  readonly retentionBytes: number;
}

/** What waits or rests in a topic of ours must neither vanish by time or size nor be compacted, whatever the cluster's defaults are. */
const keepEverything = [
  { name: "cleanup.policy", value: "delete" },
  { name: "retention.ms", value: "-1" },
  { name: "retention.bytes", value: "-1" },
];

const lookEveryMs = 50;
const maxLooks = 100;

const configNames = ["cleanup.policy", "retention.ms", "retention.bytes"];

/** By its rights, or because it does not know the question: a hosted Kafka may have no such interface. */
const isRefused = (error: unknown): boolean => {
  const { type, name, retriable } = error as { type?: unknown; name?: unknown; retriable?: unknown };
  return (typeof type === "string" && retriable === false) || name === "KafkaJSServerDoesNotSupportApiKey";
};

const isMissing = (error: unknown): boolean => (error as { type?: unknown }).type === "UNKNOWN_TOPIC_OR_PARTITION";

interface ConfigEntry {
  readonly configName: string;
  readonly configValue: string | null;
}

const configOf = (topic: string, entries: readonly ConfigEntry[]): TopicConfig => {
  const read = (name: string): string | undefined =>
    entries.find(({ configName }) => configName === name)?.configValue ?? undefined;
  return {
    topic,
    cleanupPolicy: read("cleanup.policy") ?? "delete",
    retentionMs: Number(read("retention.ms") ?? -1),
    retentionBytes: Number(read("retention.bytes") ?? -1),
  };
};

/** Questions to the cluster, one at a time: kafkajs's admin client crashes when its calls overlap. */
export class ClusterAdmin {
  readonly #admin: Admin;
  #last: Promise<unknown> = Promise.resolve();

  constructor(kafka: Kafka) {
    this.#admin = kafka.admin();
  }

  connect(): Promise<void> {
    return this.#one(() => this.#admin.connect());
  }

  close(): Promise<void> {
    return this.#one(() => this.#admin.disconnect());
  }

  /**
   * What the group has committed. Topic by topic: asked for several at once, kafkajs forgets the partitions of some where
   * there are several brokers, and that looks as if nothing had been committed.
   */
  async committed(groupId: string, topics: readonly string[]): Promise<Committed[]> {
    const all: Committed[] = [];
    for (const topic of topics) {
      const [answer] = await this.#one(() => this.#admin.fetchOffsets({ groupId, topics: [topic] }));
      for (const { partition, offset, metadata } of answer?.partitions ?? [])
        all.push({ topic, partition, offset: Number(offset) < 0 ? undefined : Number(offset), metadata });
    }
    return all;
  }

  async ranges(topics: readonly string[]): Promise<LogRange[]> {
    const all: LogRange[] = [];
    for (const topic of topics) {
      const entries = await this.#one(() => this.#admin.fetchTopicOffsets(topic));
      all.push(
        ...entries.map(({ partition, low, high }) => ({ topic, partition, low: Number(low), high: Number(high) })),
      );
    }
    return all;
  }

  /** The shape of a topic; undefined where it does not exist. Asked for by its name, a missing one would be warned of each time. */
  async shape(topic: string): Promise<TopicShape | undefined> {
    const existing = await this.#one(() => this.#admin.listTopics());
    if (!existing.includes(topic)) return undefined;
    const { topics } = await this.#one(() => this.#admin.fetchTopicMetadata({ topics: [topic] }));
    const partitions = topics[0]?.partitions;
    return partitions && { topic, partitions: partitions.length, replication: partitions[0]?.replicas.length ?? 1 };
  }

  /** How long topics keep their records; `refused` where this user may not ask. */
  async configs(topics: readonly string[]): Promise<readonly TopicConfig[] | "refused"> {
    const resources = topics.map((name) => ({ type: kafkajs.ConfigResourceTypes.TOPIC, name, configNames }));
    try {
      const answer = await this.#one(() => this.#admin.describeConfigs({ resources, includeSynonyms: false }));
      return answer.resources.map(({ resourceName, configEntries }) => configOf(resourceName, configEntries));
    } catch (error) {
      if (isRefused(error)) return "refused";
      throw error;
    }
  }

  /** Makes topics that keep everything; those that exist already are left alone. */
  async create(shapes: readonly TopicShape[]): Promise<void> {
    if (shapes.length === 0) return;
    const topics = shapes.map(({ topic, partitions, replication }) => ({
      topic,
      numPartitions: partitions,
      replicationFactor: replication,
      configEntries: keepEverything,
    }));
    try {
      await this.#one(() => this.#admin.createTopics({ topics, waitForLeaders: true }));
    } catch (error) {
      if (!isMissing(error)) throw error;
      // They are made, but kafkajs has asked for their leaders before the broker heard of them.
      for (const { topic } of shapes) await this.#untilKnown(topic);
    }
  }

  async #untilKnown(topic: string): Promise<void> {
    for (let looks = 0; looks < maxLooks && !(await this.shape(topic)); looks++) await sleep(lookEveryMs);
  }

  #one<T>(ask: () => Promise<T>): Promise<T> {
    const answer = this.#last.then(ask, ask);
    this.#last = answer.catch(() => undefined);
    return answer;
  }
}
