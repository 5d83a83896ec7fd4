import { AssignerProtocol, type Cluster, type GroupMember, type PartitionAssigner } from "kafkajs";

import { tolerateMissingTopics } from "../cluster.ts";
import { type IsolateOptions, isolatePartitions } from "../fetch/isolate-partitions.ts";
import type { TopicPartition } from "./consumer.ts";
import { Coordinator } from "./coordinator-proxy.ts";
import { createFinder } from "./find-coordinator.ts";

const { MemberMetadata, MemberAssignment } = AssignerProtocol;

export interface AssignerOptions extends IsolateOptions {
  /** The retry topics: a record waits on the partition number that it came from, so each of them must have it. */
  readonly tiers: readonly string[];
  /** The partition numbers that this member owns now: it keeps as many of them as its share allows. */
  readonly owned: () => readonly number[];
  /**
   * Awaited before every join of the group, whatever its cause: work is drained and committed here, while the old
   * generation may still commit.
   */
  readonly beforeJoin: () => Promise<void>;
  /** Told who speaks for the group's coordinator, at the first join. */
  readonly onCoordinator: (coordinator: Coordinator) => void;
  /** The broker has nothing at the offset that was asked for. */
  readonly onOutOfRange: (place: TopicPartition) => void;
}

interface Member {
  readonly id: string;
  readonly owned: readonly number[];
}

const ownedOf = (userData: Buffer): number[] => {
  try {
    const { p } = JSON.parse(userData.toString()) as { p?: unknown };
    return Array.isArray(p) ? p.filter((value) => Number.isInteger(value)) : [];
  } catch {
    return [];
  }
};

const readMember = ({ memberId, memberMetadata }: GroupMember): Member => {
  const metadata = MemberMetadata.decode(memberMetadata);
  return { id: memberId, owned: metadata ? ownedOf(metadata.userData) : [] };
};

const byId = (a: Member, b: Member): number => (a.id < b.id ? -1 : 1);

/** Members keep what they own up to their share; members that keep more come first, so that the odd ones out move least. */
const keep = (members: readonly Member[], all: readonly number[]): Map<string, number[]> => {
  const share = Math.floor(all.length / members.length);
  let extra = all.length % members.length;
  const free = new Set(all);
  const kept = new Map<string, number[]>();
  for (const { id, owned } of members.toSorted((a, b) => b.owned.length - a.owned.length || byId(a, b))) {
    const still = owned.filter((number) => free.has(number));
    const isLarge = still.length > share && extra > 0;
    if (isLarge) extra--;
    const mine = still.slice(0, isLarge ? share + 1 : share);
    for (const number of mine) free.delete(number);
    kept.set(id, mine);
  }
  return kept;
};

/** Which member gets which partition numbers: even, with as few moves as possible. */
export const spread = (members: readonly Member[], all: readonly number[]): Map<string, number[]> => {
  const mine = keep(members, all);
  const taken = new Set([...mine.values()].flat());
  for (const number of all.filter((candidate) => !taken.has(candidate))) {
    const [least] = [...mine.values()].toSorted((a, b) => a.length - b.length);
    least?.push(number);
  }
  return mine;
};

const held = new WeakSet<Cluster>();

/**
 * kafkajs asks for the coordinator at the start of every join, and nothing else does while the consumer runs: the one
 * place where a join can be held back. Measured: without it 35 duplicates in four rebalances, with it none.
 */
const holdJoins = (cluster: Cluster, groupId: string, options: AssignerOptions): void => {
  // kafkajs starts anew after a crash, with the same cluster.
  if (held.has(cluster)) return;
  held.add(cluster);
  tolerateMissingTopics(cluster);
  isolatePartitions(cluster, options);
  const { beforeJoin, onCoordinator, onOutOfRange } = options;
  const coordinator = new Coordinator({ find: createFinder(cluster, groupId), beforeLeave: beforeJoin, onOutOfRange });
  onCoordinator(coordinator);
  Object.assign(cluster, {
    findGroupCoordinator: async () => {
      await beforeJoin();
      await coordinator.locate();
      // Two fetchers of kafkajs may join at the same time: the other may have joined meanwhile, and work goes on again.
      await beforeJoin();
      return coordinator;
    },
  });
};

/**
 * Gives partition n of every topic to the same member, so that a source and its tiers are never parted. A number that a tier does
 * not have is given to nobody, until the tier has grown.
 */
export const createAssigner = (options: AssignerOptions): PartitionAssigner => {
  const name = "gainstream-co-partitioned-sticky";
  return ({ cluster, groupId }) => {
    holdJoins(cluster, groupId, options);
    return {
      name,
      version: 1,
      protocol: ({ topics }) => {
        const userData = Buffer.from(JSON.stringify({ v: 1, p: options.owned() }));
        return { name, metadata: MemberMetadata.encode({ version: 1, topics, userData }) };
      },
      assign: async ({ members, topics }) => {
        const numbersOf = (topic: string): number[] =>
          cluster.findTopicPartitionMetadata(topic).map((p) => p.partitionId);
        const tiers = options.tiers.map((topic) => new Set(numbersOf(topic)));
        const all = [...new Set(topics.flatMap((topic) => numbersOf(topic)))]
          .filter((number) => tiers.every((numbers) => numbers.has(number)))
          .sort((a, b) => a - b);
        const shares = spread(members.map((member) => readMember(member)).sort(byId), all);
        return members.map(({ memberId }) => {
          const mine = new Set(shares.get(memberId));
          const assignment = Object.fromEntries(
            topics.map((topic) => [topic, numbersOf(topic).filter((n) => mine.has(n))]),
          );
          return {
            memberId,
            memberAssignment: MemberAssignment.encode({ version: 1, assignment, userData: Buffer.alloc(0) }),
          };
        });
      },
    };
  };
};
