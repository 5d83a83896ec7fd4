import { setTimeout as sleep } from "node:timers/promises";

// Node does not see this one among the named exports of kafkajs.
import kafkajs, { type Admin, type ITopicConfig, type Kafka } from "kafkajs";

import { type KafkaCluster, createAdminCluster } from "./cluster.ts";
import { type GroupOffset, commitWithoutMembers, withExplainedError } from "./group/group-offsets.ts";
import { type LogRange, listLogRanges } from "./topics/log-ranges.ts";
import { type TopicState, topicStates } from "./topics/topic-metadata.ts";
import { isSettingsRefusal, topicSettingsFallbacks } from "./topics/topic-settings.ts";

/** The committed offset of a partition, and what was written beside it. */
export interface CommittedOffset {
  readonly topic: string;
  readonly partition: number;
  /** Undefined where the group has not committed anything yet. */
  readonly offset: number | undefined;
  readonly metadata: string | null;
}

export interface TopicShape {
  readonly topic: string;
  readonly partitions: number;
  readonly replicationFactor: number;
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

const metadataPollMs = 50;
const maxMetadataPolls = 100;

const configNames = ["cleanup.policy", "retention.ms", "retention.bytes"];

/** By its rights, or because it does not know the question: a hosted Kafka may have no such interface. */
const isDescribeConfigsRefused = (error: unknown): boolean => {
  const { type, name, retriable } = error as { type?: unknown; name?: unknown; retriable?: unknown };
  return (typeof type === "string" && retriable === false) || name === "KafkaJSServerDoesNotSupportApiKey";
};

interface ConfigEntry {
  readonly configName: string;
  readonly configValue: string | null;
}

const toTopicConfig = (topic: string, entries: readonly ConfigEntry[]): TopicConfig => {
  const valueOf = (name: string): string | undefined =>
    entries.find(({ configName }) => configName === name)?.configValue ?? undefined;
  return {
    topic,
    cleanupPolicy: valueOf("cleanup.policy") ?? "delete",
    retentionMs: Number(valueOf("retention.ms") ?? -1),
    retentionBytes: Number(valueOf("retention.bytes") ?? -1),
  };
};

/**
 * Questions to the cluster, one at a time: kafkajs's admin client crashes when its calls overlap. Each is about the topics that
 * it names, and a missing one spoils nothing for the others.
 */
export class ClusterAdmin {
  readonly #admin: Admin;
  readonly #cluster: KafkaCluster;
  #previous: Promise<unknown> = Promise.resolve();

  constructor(kafka: Kafka) {
    const { cluster, admin } = createAdminCluster(kafka);
    this.#cluster = cluster;
    this.#admin = admin;
  }

  connect(): Promise<void> {
    return this.#serialize(() => this.#admin.connect());
  }

  close(): Promise<void> {
    return this.#serialize(() => this.#admin.disconnect());
  }

  /**
   * What the group has committed. Topic by topic: asked for several at once, kafkajs forgets the partitions of some where
   * there are several brokers, and that looks as if nothing had been committed.
   */
  async committedOffsets(groupId: string, topics: readonly string[]): Promise<CommittedOffset[]> {
    const all: CommittedOffset[] = [];
    for (const topic of topics) {
      const [response] = await this.#serialize(async () => {
        await this.#refreshTopics([topic]);
        return withExplainedError(this.#cluster, groupId, () => this.#admin.fetchOffsets({ groupId, topics: [topic] }));
      });
      for (const { partition, offset, metadata } of response?.partitions ?? [])
        all.push({ topic, partition, offset: Number(offset) < 0 ? undefined : Number(offset), metadata });
    }
    return all;
  }

  /** Commits for a group without members; for one that has some, Kafka refuses it. */
  commitOffset(groupId: string, commit: GroupOffset): Promise<void> {
    return this.#serialize(() => commitWithoutMembers(this.#cluster, groupId, commit));
  }

  /** Where the logs of these topics begin and end. What is missing, forbidden or without a leader just now is left out. */
  logRanges(topics: readonly string[]): Promise<LogRange[]> {
    return this.#serialize(async () => {
      await this.#refreshTopics(topics);
      return listLogRanges(this.#cluster);
    });
  }

  /** What the cluster says of each of these topics. Never fails for one of them. */
  topicStates(topics: readonly string[]): Promise<TopicState[]> {
    return this.#serialize(() => this.#refreshTopics(topics));
  }

  /** The shape of a topic; undefined where it does not exist. */
  async topicShape(topic: string): Promise<TopicShape | undefined> {
    const [state] = await this.topicStates([topic]);
    if (!state || state.error === "UNKNOWN_TOPIC_OR_PARTITION") return undefined;
    if (state.error !== undefined) throw new Error(`Cannot look at topic ${topic}: ${state.error}`);
    return { topic, partitions: state.partitions, replicationFactor: state.replicationFactor };
  }

  /** How long topics keep their records; `refused` where this user may not ask. */
  async topicConfigs(topics: readonly string[]): Promise<readonly TopicConfig[] | "refused"> {
    const resources = topics.map((name) => ({ type: kafkajs.ConfigResourceTypes.TOPIC, name, configNames }));
    try {
      const response = await this.#serialize(() => this.#admin.describeConfigs({ resources, includeSynonyms: false }));
      return response.resources.map(({ resourceName, configEntries }) => toTopicConfig(resourceName, configEntries));
    } catch (error) {
      if (isDescribeConfigsRefused(error)) return "refused";
      throw error;
    }
  }

  /** Makes topics that keep everything as it was written; those that exist already are left alone. */
  async createTopics(shapes: readonly TopicShape[]): Promise<void> {
    if (shapes.length === 0) return;
    const topics = shapes.map(({ topic, partitions, replicationFactor: replication }) => ({
      topic,
      numPartitions: partitions,
      replicationFactor: replication,
    }));
    await this.#serialize(() => this.#createTopicsWith(topics, topicSettingsFallbacks));
    await this.#waitUntilVisible(shapes);
  }

  async #createTopicsWith(
    topics: readonly ITopicConfig[],
    [settings = [], ...fallbacks]: typeof topicSettingsFallbacks,
  ): Promise<void> {
    const configured = topics.map((topic) => ({ ...topic, configEntries: [...settings] }));
    try {
      await this.#admin.createTopics({ topics: configured, waitForLeaders: false });
    } catch (error) {
      if (fallbacks.length === 0 || !isSettingsRefusal(error)) throw error;
      await this.#createTopicsWith(topics, fallbacks);
    }
  }

  /** Gives topics more partitions. */
  async createPartitions(shapes: readonly Pick<TopicShape, "topic" | "partitions">[]): Promise<void> {
    if (shapes.length === 0) return;
    const topicPartitions = shapes.map(({ topic, partitions }) => ({ topic, count: partitions }));
    await this.#serialize(() => this.#admin.createPartitions({ topicPartitions }));
    await this.#waitUntilVisible(shapes);
  }

  /** The broker that is asked may not have heard yet of what was made. */
  async #waitUntilVisible(shapes: readonly Pick<TopicShape, "topic" | "partitions">[]): Promise<void> {
    const names = shapes.map(({ topic }) => topic);
    for (let polls = 0; polls < maxMetadataPolls; polls++) {
      const states = await this.topicStates(names);
      if (states.every(({ error, partitions }, index) => !error && partitions >= (shapes[index]?.partitions ?? 0)))
        return;
      await sleep(metadataPollMs);
    }
  }

  /** From here on kafkajs's view of the cluster is of these topics, and of no others. */
  async #refreshTopics(topics: readonly string[]): Promise<TopicState[]> {
    this.#cluster.targetTopics = new Set(topics);
    await this.#cluster.refreshMetadata();
    return topicStates(topics, this.#cluster.brokerPool.metadata ?? { topicMetadata: [] });
  }

  #serialize<T>(call: () => Promise<T>): Promise<T> {
    const response = this.#previous.then(call, call);
    this.#previous = response.catch(() => undefined);
    return response;
  }
}
