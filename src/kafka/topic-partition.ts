/** One partition of one topic. */
export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

/** The partition as a key of a map: `topic/partition`. Kafka allows no slash in the name of a topic. */
export const partitionKey = ({ topic, partition }: TopicPartition): string => `${topic}/${partition}`;
