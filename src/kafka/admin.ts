import { setTimeout as sleep } from "node:timers/promises";

// Node does not see this one among the named exports of kafkajs.
import kafkajs, { type Admin, type ITopicConfig, type Kafka } from "kafkajs";

import { type KafkaCluster, openCluster } from "./cluster.ts";
import { type GroupOffset, commitForNobody, explained } from "./group/group-offsets.ts";
import { type LogRange, askRanges } from "./topics/log-ranges.ts";
import { type TopicState, topicStates } from "./topics/topic-metadata.ts";
import { refusesSettings, topicSettings } from "./topics/topic-settings.ts";

/** The committed offset of a partition, and what was written beside it. */
export interface Committed {
  readonly topic: string;
  readonly partition: number;
  /** Undefined where the group has not committed anything yet. */
  readonly offset: number | undefined;
  readonly metadata: string | null;
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

const lookEveryMs = 50;
const maxLooks = 100;

const configNames = ["cleanup.policy", "retention.ms", "retention.bytes"];

/** By its rights, or because it does not know the question: a hosted Kafka may have no such interface. */
const isRefused = (error: unknown): boolean => {
  const { type, name, retriable } = error as { type?: unknown; name?: unknown; retriable?: unknown };
  return (typeof type === "string" && retriable === false) || name === "KafkaJSServerDoesNotSupportApiKey";
};

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

/**
 * Questions to the cluster, one at a time: kafkajs's admin client crashes when its calls overlap. Each is about the topics that
 * it names, and a missing one spoils nothing for the others.
 */
export class ClusterAdmin {
  readonly #admin: Admin;
  readonly #cluster: KafkaCluster;
  #last: Promise<unknown> = Promise.resolve();

  constructor(kafka: Kafka) {
    const { cluster, admin } = openCluster(kafka);
    this.#cluster = cluster;
    this.#admin = admin;
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
      const [answer] = await this.#one(async () => {
        await this.#look([topic]);
        return explained(this.#cluster, groupId, () => this.#admin.fetchOffsets({ groupId, topics: [topic] }));
      });
      for (const { partition, offset, metadata } of answer?.partitions ?? [])
        all.push({ topic, partition, offset: Number(offset) < 0 ? undefined : Number(offset), metadata });
    }
    return all;
  }

  /** Commits for a group without members; for one that has some, Kafka refuses it. */
  commit(groupId: string, commit: GroupOffset): Promise<void> {
    return this.#one(() => commitForNobody(this.#cluster, groupId, commit));
  }

  /** Where the logs of these topics begin and end. What is missing, forbidden or without a leader just now is left out. */
  ranges(topics: readonly string[]): Promise<LogRange[]> {
    return this.#one(async () => {
      await this.#look(topics);
      return askRanges(this.#cluster);
    });
  }

  /** What the cluster says of each of these topics. Never fails for one of them. */
  topics(topics: readonly string[]): Promise<TopicState[]> {
    return this.#one(() => this.#look(topics));
  }

  /** The shape of a topic; undefined where it does not exist. */
  async shape(topic: string): Promise<TopicShape | undefined> {
    const [state] = await this.topics([topic]);
    if (!state || state.error === "UNKNOWN_TOPIC_OR_PARTITION") return undefined;
    if (state.error !== undefined) throw new Error(`Cannot look at topic ${topic}: ${state.error}`);
    return { topic, partitions: state.partitions, replication: state.replication };
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

  /** Makes topics that keep everything as it was written; those that exist already are left alone. */
  async create(shapes: readonly TopicShape[]): Promise<void> {
    if (shapes.length === 0) return;
    const topics = shapes.map(({ topic, partitions, replication }) => ({
      topic,
      numPartitions: partitions,
      replicationFactor: replication,
    }));
    await this.#one(() => this.#createWith(topics, topicSettings));
    await this.#untilKnown(shapes);
  }

  async #createWith(topics: readonly ITopicConfig[], [settings = [], ...others]: typeof topicSettings): Promise<void> {
    const configured = topics.map((topic) => ({ ...topic, configEntries: [...settings] }));
    try {
      await this.#admin.createTopics({ topics: configured, waitForLeaders: false });
    } catch (error) {
      if (others.length === 0 || !refusesSettings(error)) throw error;
      await this.#createWith(topics, others);
    }
  }

  /** Gives topics more partitions. */
  async grow(shapes: readonly Pick<TopicShape, "topic" | "partitions">[]): Promise<void> {
    if (shapes.length === 0) return;
    const topicPartitions = shapes.map(({ topic, partitions }) => ({ topic, count: partitions }));
    await this.#one(() => this.#admin.createPartitions({ topicPartitions }));
    await this.#untilKnown(shapes);
  }

  /** The broker that is asked may not have heard yet of what was made. */
  async #untilKnown(shapes: readonly Pick<TopicShape, "topic" | "partitions">[]): Promise<void> {
    const names = shapes.map(({ topic }) => topic);
    for (let looks = 0; looks < maxLooks; looks++) {
      const states = await this.topics(names);
      if (states.every(({ error, partitions }, index) => !error && partitions >= (shapes[index]?.partitions ?? 0)))
        return;
      await sleep(lookEveryMs);
    }
  }

  /** From here on kafkajs's view of the cluster is of these topics, and of no others. */
  async #look(topics: readonly string[]): Promise<TopicState[]> {
    this.#cluster.targetTopics = new Set(topics);
    await this.#cluster.refreshMetadata();
    return topicStates(topics, this.#cluster.brokerPool.metadata ?? { topicMetadata: [] });
  }

  #one<T>(ask: () => Promise<T>): Promise<T> {
    const answer = this.#last.then(ask, ask);
    this.#last = answer.catch(() => undefined);
    return answer;
  }
}
