/** How long a topic keeps its records. A setting that the cluster does not report counts as unlimited. */
export interface TopicConfig {
  readonly topic: string;
  /** `delete`, `compact`, or both with a comma between them. */
  readonly cleanupPolicy: string;
  /** In milliseconds; -1 means without limit. */
  readonly retentionMs: number;
  /** Per partition, in bytes; -1 means without limit. */
  readonly retentionBytes: number;
}

interface ConfigEntry {
  readonly configName: string;
  readonly configValue: string | null;
}

/** The settings of a topic that `TopicConfig` holds, by Kafka's names (https://kafka.apache.org/documentation/#topicconfigs). */
export const topicConfigNames = ["cleanup.policy", "retention.ms", "retention.bytes"];

export const toTopicConfig = (topic: string, entries: readonly ConfigEntry[]): TopicConfig => {
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
 * Whether the cluster refuses to report settings: this user lacks the right, or the cluster does not know the request, as some hosted
 * ones do not.
 */
export const isDescribeConfigsRefused = (error: unknown): boolean => {
  const { type, name, retriable } = error as { type?: unknown; name?: unknown; retriable?: unknown };
  return (typeof type === "string" && retriable === false) || name === "KafkaJSServerDoesNotSupportApiKey";
};
