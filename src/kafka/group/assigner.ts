import { AssignerProtocol, type Cluster, type GroupMember, type PartitionAssigner } from "kafkajs";

import { internalsOf, tolerateMissingTopics } from "../cluster.ts";
import { type IsolatePartitionsOptions, isolatePartitions } from "../fetch/isolate-partitions.ts";
import type { TopicPartition } from "../topic-partition.ts";
import { CoordinatorProxy } from "./coordinator-proxy.ts";
import { createCoordinatorFinder } from "./find-coordinator.ts";

const { MemberMetadata, MemberAssignment } = AssignerProtocol;

export interface AssignerOptions extends IsolatePartitionsOptions {
  /** An event is retried on the partition number that it came from, so a number is assigned only if each retry topic has it. */
  readonly retryTopics: readonly string[];
  /** The partition numbers that this member owns now. It keeps as many of them as its share allows. */
  readonly ownedNumbers: () => readonly number[];
  /** Runs before every join of the group: drains and commits the work while the old generation may still commit. */
  readonly beforeJoin: () => Promise<void>;
  /** Receives the stand-in for the group's coordinator at the first join. */
  readonly onCoordinator: (coordinator: CoordinatorProxy) => void;
  /** The log of this partition does not hold the fetch offset. */
  readonly onOutOfRange: (topicPartition: TopicPartition) => void;
}

interface MemberOwnership {
  readonly id: string;
  readonly owned: readonly number[];
}

const decodeOwned = (userData: Buffer): number[] => {
  try {
    const { p } = JSON.parse(userData.toString()) as { p?: unknown };
    return Array.isArray(p) ? p.filter((value) => Number.isInteger(value)) : [];
  } catch {
    return [];
  }
};

const readMember = ({ memberId, memberMetadata }: GroupMember): MemberOwnership => {
  const metadata = MemberMetadata.decode(memberMetadata);
  return { id: memberId, owned: metadata ? decodeOwned(metadata.userData) : [] };
};

const byId = (a: MemberOwnership, b: MemberOwnership): number => (a.id < b.id ? -1 : 1);

/** Members keep the numbers that they own, up to their share. Those that own most come first and get the extra numbers, so that few move. */
const keepOwned = (members: readonly MemberOwnership[], all: readonly number[]): Map<string, number[]> => {
  const share = Math.floor(all.length / members.length);
  let extras = all.length % members.length;
  const unassigned = new Set(all);
  const kept = new Map<string, number[]>();
  for (const { id, owned } of members.toSorted((a, b) => b.owned.length - a.owned.length || byId(a, b))) {
    const stillFree = owned.filter((number) => unassigned.has(number));
    const takesExtra = stillFree.length > share && extras > 0;
    if (takesExtra) extras--;
    const assigned = stillFree.slice(0, takesExtra ? share + 1 : share);
    for (const number of assigned) unassigned.delete(number);
    kept.set(id, assigned);
  }
  return kept;
};

/** Assigns partition numbers to members: evenly, and with as few moves as possible. The keys of the result are member ids. */
export const assignNumbers = (members: readonly MemberOwnership[], all: readonly number[]): Map<string, number[]> => {
  const assigned = keepOwned(members, all);
  const assignedNumbers = new Set([...assigned.values()].flat());
  for (const number of all.filter((candidate) => !assignedNumbers.has(candidate))) {
    const [smallest] = [...assigned.values()].toSorted((a, b) => a.length - b.length);
    smallest?.push(number);
  }
  return assigned;
};

const patchedClusters = new WeakSet<Cluster>();

/**
 * Replaces `findGroupCoordinator` of a consumer's cluster. kafkajs calls it at the start of every join and, while the consumer runs,
 * never else, so a join can be delayed only here. Without the drain, four rebalances made 35 duplicates; with it, none.
 */
const patchCluster = (cluster: Cluster, groupId: string, options: AssignerOptions): void => {
  // After a crash kafkajs restarts the consumer with the same cluster.
  if (patchedClusters.has(cluster)) return;
  patchedClusters.add(cluster);
  const internals = internalsOf(cluster);
  tolerateMissingTopics(internals);
  isolatePartitions(internals, options);
  const { beforeJoin, onCoordinator, onOutOfRange } = options;
  const coordinator = new CoordinatorProxy({
    findCoordinator: createCoordinatorFinder(internals, groupId),
    beforeLeave: beforeJoin,
    onOutOfRange,
  });
  onCoordinator(coordinator);
  Object.assign(cluster, {
    findGroupCoordinator: async () => {
      await beforeJoin();
      await coordinator.rediscover();
      // kafkajs may join from two of its fetchers at once: the other one may have joined meanwhile and started new work.
      await beforeJoin();
      return coordinator;
    },
  });
};

/**
 * Assigns partition n of all topics to the same member, so that a source and its retry topics stay together. A number that one of the
 * retry topics lacks is assigned to no member.
 */
export const createAssigner = (options: AssignerOptions): PartitionAssigner => {
  const name = "gainstream-co-partitioned-sticky";
  return ({ cluster, groupId }) => {
    patchCluster(cluster, groupId, options);
    return {
      name,
      version: 1,
      protocol: ({ topics }) => {
        const userData = Buffer.from(JSON.stringify({ v: 1, p: options.ownedNumbers() }));
        return { name, metadata: MemberMetadata.encode({ version: 1, topics, userData }) };
      },
      assign: async ({ members, topics }) => {
        const numbersOf = (topic: string): number[] =>
          cluster.findTopicPartitionMetadata(topic).map((p) => p.partitionId);
        const numbersByRetryTopic = options.retryTopics.map((topic) => new Set(numbersOf(topic)));
        const all = [...new Set(topics.flatMap((topic) => numbersOf(topic)))]
          .filter((number) => numbersByRetryTopic.every((numbers) => numbers.has(number)))
          .sort((a, b) => a - b);
        const shares = assignNumbers(members.map((member) => readMember(member)).sort(byId), all);
        return members.map(({ memberId }) => {
          const assigned = new Set(shares.get(memberId));
          const assignment = Object.fromEntries(
            topics.map((topic) => [topic, numbersOf(topic).filter((n) => assigned.has(n))]),
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
