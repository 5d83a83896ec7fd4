import type { Batch } from "kafkajs";

import type { Ingest } from "../../src/intake/ingest.ts";
import type { OffsetCommit } from "../../src/offsets/tracker.ts";
import type { TopicPartition, SimulatedBroker } from "./simulated-broker.ts";

const keyOf = ({ topic, partition }: TopicPartition): string => `${topic}/${partition}`;

/**
 * kafkajs's consumer as it behaves (measured): positions start at the commit after each join, pauses outlive it, a seek stays
 * armed until the next fetch of its partition, and batches of a fetch that is under way come although their partition is paused.
 */
export const createSimulatedConsumer = (broker: SimulatedBroker) => {
  let owned: readonly TopicPartition[] = [];
  const positions = new Map<string, number>();
  const paused = new Set<string>();
  const seeks = new Map<string, number>();
  const failing = { commits: 0 };
  /** What the broker's answers to commits wait for. */
  const slow: { until: Promise<void> | undefined } = { until: undefined };
  /** Commits that a group must never see. */
  const wrong: string[] = [];
  let fetching: Promise<void> | undefined;
  let generation = 0;
  let isDead = false;

  const positionOf = (topicPartition: TopicPartition): number => {
    const sought = seeks.get(keyOf(topicPartition));
    if (sought !== undefined) positions.set(keyOf(topicPartition), sought);
    seeks.delete(keyOf(topicPartition));
    return positions.get(keyOf(topicPartition)) ?? broker.committedOf(topicPartition);
  };
  const isFetched = (topicPartition: TopicPartition): boolean => !paused.has(keyOf(topicPartition));

  const handOver = async (batches: readonly Batch[], ingest: Ingest): Promise<void> => {
    const mine = generation;
    for (const batch of batches) {
      // As kafkajs's `isStale`: a seek has come meanwhile.
      if (seeks.has(keyOf(batch)) || mine !== generation) continue;
      await ingest.handleBatch(batch, (offset) => {
        if (mine === generation) positions.set(keyOf(batch), offset + 1);
      });
    }
  };

  return {
    pause: (topicPartitions: readonly TopicPartition[]): void => {
      for (const topicPartition of topicPartitions) paused.add(keyOf(topicPartition));
    },
    resume: (topicPartition: TopicPartition): void => void paused.delete(keyOf(topicPartition)),
    seek: (topicPartition: TopicPartition, offset: number): void => void seeks.set(keyOf(topicPartition), offset),
    isPaused: (topicPartition: TopicPartition): boolean => paused.has(keyOf(topicPartition)),
    failing,
    slow,
    wrong,
    /** The process is gone: nothing of it reaches the cluster any more. */
    die: (): void => {
      isDead = true;
    },
    commit: async (commits: readonly (TopicPartition & OffsetCommit)[]): Promise<boolean> => {
      if (isDead) return false;
      if (failing.commits > 0) {
        failing.commits--;
        throw new Error("The broker rejects the commit");
      }
      for (const { topic, partition, ...commit } of commits) {
        const topicPartition = { topic, partition };
        if (!owned.some((one) => keyOf(one) === keyOf(topicPartition)))
          wrong.push(`Committed ${keyOf(topicPartition)}, not owned`);
        if (commit.offset < broker.committedOf(topicPartition))
          wrong.push(`Committed ${keyOf(topicPartition)} backwards`);
        if (commit.offset > broker.endOf(topicPartition))
          wrong.push(`Committed ${keyOf(topicPartition)} beyond its end`);
        broker.commit(topicPartition, commit);
      }
      if (slow.until) await slow.until;
      return true;
    },
    /** Fetches once from everything that is not paused; `most` records of a partition. */
    fetch: (ingest: Ingest, most: number): void => {
      if (fetching) return;
      const batches = owned
        .filter(isFetched)
        .flatMap((topicPartition) => broker.fetch(topicPartition, positionOf(topicPartition), most) ?? []);
      fetching = handOver(batches, ingest).finally(() => {
        fetching = undefined;
      });
    },
    /** Whether a batch is in hand. */
    get isFetching(): boolean {
      return fetching !== undefined;
    },
    /** The group has joined. */
    join: (topicPartitions: readonly TopicPartition[]): void => {
      generation++;
      owned = topicPartitions;
      positions.clear();
    },
  };
};

export type SimulatedConsumer = ReturnType<typeof createSimulatedConsumer>;
