import type { Batch } from "kafkajs";

import type { Intake } from "../../src/intake/ingest.ts";
import type { Commit } from "../../src/offsets/tracker.ts";
import type { Place, SimulatedBroker } from "./simulated-broker.ts";

const keyOf = ({ topic, partition }: Place): string => `${topic}/${partition}`;

/**
 * kafkajs's consumer as it behaves (measured): positions start at the commit after each join, pauses outlive it, a seek stays
 * armed until the next fetch of its partition, and batches of a fetch that is under way come although their partition is paused.
 */
export const createSimulatedConsumer = (broker: SimulatedBroker) => {
  let owned: readonly Place[] = [];
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

  const positionOf = (place: Place): number => {
    const sought = seeks.get(keyOf(place));
    if (sought !== undefined) positions.set(keyOf(place), sought);
    seeks.delete(keyOf(place));
    return positions.get(keyOf(place)) ?? broker.committedOf(place);
  };
  const isFetched = (place: Place): boolean => !paused.has(keyOf(place));

  const handOver = async (batches: readonly Batch[], intake: Intake): Promise<void> => {
    const mine = generation;
    for (const batch of batches) {
      // As kafkajs's `isStale`: a seek has come meanwhile.
      if (seeks.has(keyOf(batch)) || mine !== generation) continue;
      await intake.take(batch, (offset) => {
        if (mine === generation) positions.set(keyOf(batch), offset + 1);
      });
    }
  };

  return {
    pause: (places: readonly Place[]): void => {
      for (const place of places) paused.add(keyOf(place));
    },
    resume: (place: Place): void => void paused.delete(keyOf(place)),
    seek: (place: Place, offset: number): void => void seeks.set(keyOf(place), offset),
    isPaused: (place: Place): boolean => paused.has(keyOf(place)),
    failing,
    slow,
    wrong,
    /** The process is gone: nothing of it reaches the cluster any more. */
    die: (): void => {
      isDead = true;
    },
    commit: async (commits: readonly (Place & Commit)[]): Promise<boolean> => {
      if (isDead) return false;
      if (failing.commits > 0) {
        failing.commits--;
        throw new Error("The broker does not take the commit");
      }
      for (const { topic, partition, ...commit } of commits) {
        const place = { topic, partition };
        if (!owned.some((one) => keyOf(one) === keyOf(place))) wrong.push(`Committed ${keyOf(place)}, not owned`);
        if (commit.offset < broker.committedOf(place)) wrong.push(`Committed ${keyOf(place)} backwards`);
        if (commit.offset > broker.endOf(place)) wrong.push(`Committed ${keyOf(place)} beyond its end`);
        broker.commit(place, commit);
      }
      if (slow.until) await slow.until;
      return true;
    },
    /** Fetches once from everything that is not paused; `most` records of a partition. */
    fetch: (intake: Intake, most: number): void => {
      if (fetching) return;
      const batches = owned.filter(isFetched).flatMap((place) => broker.fetch(place, positionOf(place), most) ?? []);
      fetching = handOver(batches, intake).finally(() => {
        fetching = undefined;
      });
    },
    /** Whether a batch is in hand. */
    get isFetching(): boolean {
      return fetching !== undefined;
    },
    /** The group has joined. */
    join: (places: readonly Place[]): void => {
      generation++;
      owned = places;
      positions.clear();
    },
  };
};

export type SimulatedConsumer = ReturnType<typeof createSimulatedConsumer>;
