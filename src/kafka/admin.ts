import { setTimeout as sleep } from "node:timers/promises";

// Node does not see this one among the named exports of kafkajs.
import kafkajs, { type Admin, type ITopicConfig, type Kafka } from "kafkajs";

import { type KafkaCluster, createAdminCluster } from "./cluster.ts";
import { type GroupOffset, commitWithoutMembers, withLookupRefusal } from "./group/group-offsets.ts";
import type { TopicPartition } from "./topic-partition.ts";
import { type LogRange, listLogRanges } from "./topics/log-ranges.ts";
import { type TopicConfig, isDescribeConfigsRefused, toTopicConfig, topicConfigNames } from "./topics/topic-config.ts";
import { type TopicState, topicStates } from "./topics/topic-metadata.ts";
import { isSettingsRefusal, topicSettingsFallbacks } from "./topics/topic-settings.ts";

/** The offset that a group has committed for a partition. */
export interface CommittedOffset extends TopicPartition {
  /** Undefined if the group has not committed an offset yet. */
  readonly offset: number | undefined;
  /** The text that was committed with the offset. */
  readonly metadata: string | null;
}

export interface TopicShape {
  readonly topic: string;
  readonly partitions: number;
  readonly replicationFactor: number;
}

const metadataPollMs = 50;
const maxMetadataPolls = 100;

/**
 * Requests to the cluster, one at a time: kafkajs's admin client crashes if its calls overlap. A request is about the topics that it
 * names, and a topic that is missing does not fail it for the others. A method rejects with kafkajs's error.
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
   * The committed offsets of a group. One request per topic: if a request names several topics and there are several brokers, kafkajs
   * drops partitions of some topics, which then look as if the group had committed nothing.
   */
  async committedOffsets(groupId: string, topics: readonly string[]): Promise<CommittedOffset[]> {
    const all: CommittedOffset[] = [];
    for (const topic of topics) {
      const [response] = await this.#serialize(async () => {
        await this.#refreshTopics([topic]);
        return withLookupRefusal(this.#cluster, groupId, () => this.#admin.fetchOffsets({ groupId, topics: [topic] }));
      });
      for (const { partition, offset, metadata } of response?.partitions ?? [])
        all.push({ topic, partition, offset: Number(offset) < 0 ? undefined : Number(offset), metadata });
    }
    return all;
  }

  /** Commits an offset for a group without members. Kafka refuses it if the group has members. */
  commitOffset(groupId: string, commit: GroupOffset): Promise<void> {
    return this.#serialize(() => commitWithoutMembers(this.#cluster, groupId, commit));
  }

  /** The log ranges of these topics, without partitions that are missing or forbidden or whose leader does not answer. */
  logRanges(topics: readonly string[]): Promise<LogRange[]> {
    return this.#serialize(async () => {
      await this.#refreshTopics(topics);
      return listLogRanges(this.#cluster);
    });
  }

  /** The states of these topics, in this order. The error of a topic is part of its state. */
  topicStates(topics: readonly string[]): Promise<TopicState[]> {
    return this.#serialize(() => this.#refreshTopics(topics));
  }

  /** The shape of a topic; undefined if the topic does not exist. */
  async topicShape(topic: string): Promise<TopicShape | undefined> {
    const [state] = await this.topicStates([topic]);
    if (!state || state.error === "UNKNOWN_TOPIC_OR_PARTITION") return undefined;
    if (state.error !== undefined) throw new Error(`Cannot read the metadata of ${topic}: ${state.error}`);
    return { topic, partitions: state.partitions, replicationFactor: state.replicationFactor };
  }

  /** How long these topics keep their records; `refused` if the cluster does not report it to this user. */
  async topicConfigs(topics: readonly string[]): Promise<readonly TopicConfig[] | "refused"> {
    const resources = topics.map((name) => ({
      type: kafkajs.ConfigResourceTypes.TOPIC,
      name,
      configNames: topicConfigNames,
    }));
    try {
      const response = await this.#serialize(() => this.#admin.describeConfigs({ resources, includeSynonyms: false }));
      return response.resources.map(({ resourceName, configEntries }) => toTopicConfig(resourceName, configEntries));
    } catch (error) {
      if (isDescribeConfigsRefused(error)) return "refused";
      throw error;
    }
  }

  /** Creates topics that keep all records. Topics that exist already stay as they are. */
  async createTopics(shapes: readonly TopicShape[]): Promise<void> {
    if (shapes.length === 0) return;
    const topics = shapes.map(({ topic, partitions, replicationFactor }) => ({
      topic,
      numPartitions: partitions,
      replicationFactor,
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

  /** Adds partitions to topics, up to these numbers. */
  async createPartitions(shapes: readonly Pick<TopicShape, "topic" | "partitions">[]): Promise<void> {
    if (shapes.length === 0) return;
    const topicPartitions = shapes.map(({ topic, partitions }) => ({ topic, count: partitions }));
    await this.#serialize(() => this.#admin.createPartitions({ topicPartitions }));
    await this.#waitUntilVisible(shapes);
  }

  /** Waits up to 5 s: the broker that answers may not know the new topics or partitions yet. */
  async #waitUntilVisible(shapes: readonly Pick<TopicShape, "topic" | "partitions">[]): Promise<void> {
    const names = shapes.map(({ topic }) => topic);
    for (let polls = 0; polls < maxMetadataPolls; polls++) {
      const states = await this.topicStates(names);
      if (states.every(({ error, partitions }, index) => !error && partitions >= (shapes[index]?.partitions ?? 0)))
        return;
      await sleep(metadataPollMs);
    }
  }

  /** Makes these topics, and no others, the ones that kafkajs's view of the cluster holds. */
  async #refreshTopics(topics: readonly string[]): Promise<TopicState[]> {
    this.#cluster.targetTopics = new Set(topics);
    await this.#cluster.refreshMetadata();
    return topicStates(topics, this.#cluster.brokerPool.metadata ?? { topicMetadata: [] });
  }

  #serialize<T>(call: () => Promise<T>): Promise<T> {
    const result = this.#previous.then(call, call);
    this.#previous = result.catch(() => undefined);
    return result;
  }
}
