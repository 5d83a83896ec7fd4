import { setTimeout as sleep } from "node:timers/promises";

import { errorTypeOf } from "../error-types.ts";
import { isAuthorizationError } from "../rights/authorization-errors.ts";
import type { TopicPartition } from "../topic-partition.ts";
import {
  type OffsetCommitRequest,
  type GroupBroker,
  type GroupMember,
  type JoinGroupRequest,
  isCoordinatorLost,
  offsetResetsIn,
  withPlaceholderOffsets,
} from "./group-broker.ts";

const retryPauseMs = 250;
const maxAttempts = 20;

/** kafkajs must not repeat the commit. */
const staleCommitError = (): Error =>
  Object.assign(new Error("Cannot commit: the offsets belong to an earlier assignment"), { retriable: false });

export interface CoordinatorProxyOptions {
  /** Asks the cluster for the broker that is the group's coordinator now. */
  readonly findCoordinator: () => Promise<GroupBroker>;
  /** Runs before the member leaves the group: its work must end first. */
  readonly beforeLeave: () => Promise<void>;
  /** The log of this partition does not hold the fetch offset. */
  readonly onOutOfRange: (topicPartition: TopicPartition) => void;
}

/**
 * Stands for the group's coordinator, whichever broker that is at the moment; kafkajs holds it in place of a broker. kafkajs itself
 * keeps the broker that it found when it joined. So the group stood still while that broker was down, its work was done twice
 * afterwards, and if the coordinator had moved to another broker, the last commit before a join failed.
 */
export class CoordinatorProxy {
  readonly #findCoordinator: CoordinatorProxyOptions["findCoordinator"];
  readonly #beforeLeave: CoordinatorProxyOptions["beforeLeave"];
  readonly #onOutOfRange: CoordinatorProxyOptions["onOutOfRange"];
  #broker: GroupBroker | undefined;
  #lookup: Promise<GroupBroker> | undefined;
  #generation: number | undefined;
  /** The member that this consumer is, from its join until the group has answered its leave request. */
  #member: GroupMember | undefined;
  #commitGeneration: number | undefined;

  constructor({ findCoordinator, beforeLeave, onOutOfRange }: CoordinatorProxyOptions) {
    this.#onOutOfRange = onOutOfRange;
    this.#findCoordinator = findCoordinator;
    this.#beforeLeave = beforeLeave;
  }

  get nodeId(): number | undefined {
    return this.#broker?.nodeId;
  }

  /** Asks the cluster again which broker is the coordinator. */
  async rediscover(): Promise<this> {
    this.#broker = undefined;
    await this.#currentBroker();
    return this;
  }

  /** Always true: if the coordinator is not connected, kafkajs connects to the same broker again. */
  isConnected(): boolean {
    return true;
  }

  /** Allows the next commit, and kafkajs's repetitions of it until the next join: after that they would move the next owner's offsets. */
  allowCommit(): void {
    this.#commitGeneration = this.#generation;
  }

  async joinGroup(request: JoinGroupRequest): Promise<unknown> {
    const joined = await this.#callCoordinator((broker) => broker.joinGroup(request));
    this.#generation = joined.generationId;
    this.#member = { groupId: request.groupId, memberId: joined.memberId };
    return joined;
  }

  syncGroup(request: unknown): Promise<unknown> {
    return this.#callCoordinator((broker) => broker.syncGroup(request));
  }

  /** kafkajs calls it when the consumer stops, and before it restarts the consumer after a crash. */
  async leaveGroup(request: GroupMember): Promise<unknown> {
    await this.#beforeLeave();
    const response = await this.#callCoordinator((broker) => broker.leaveGroup(request));
    this.#member = undefined;
    return response;
  }

  /**
   * Leaves the group if kafkajs has not. kafkajs forgets a member if its join fails half-way or its leave request fails, and the group
   * waits for that member until its session ends.
   */
  async leaveIfStillMember(): Promise<void> {
    const member = this.#member;
    if (!member) return;
    try {
      await this.#callCoordinator((broker) => broker.leaveGroup(member));
    } catch (error) {
      if (errorTypeOf(error) !== "UNKNOWN_MEMBER_ID") throw error;
    }
    this.#member = undefined;
  }

  /** Throws if this user lacks the right to join the group. It sends a heartbeat of no member, which changes nothing in the group. */
  async checkGroupAccess(groupId: string): Promise<void> {
    try {
      await this.#callCoordinator((broker) => broker.heartbeat({ groupId, groupGenerationId: -1, memberId: "" }));
    } catch (error) {
      if (isAuthorizationError(error) || errorTypeOf(error) === undefined) throw error;
    }
  }

  heartbeat(request: unknown): Promise<unknown> {
    return this.#callWithRetries((broker) => broker.heartbeat(request));
  }

  async offsetFetch(request: unknown): Promise<unknown> {
    return withPlaceholderOffsets(await this.#callWithRetries((broker) => broker.offsetFetch(request)));
  }

  /** Reports the partitions that kafkajs resets, and commits nothing then: intake decides at which offset a partition continues. */
  async offsetCommit(request: OffsetCommitRequest): Promise<unknown> {
    const resets = offsetResetsIn(request);
    for (const topicPartition of resets) this.#onOutOfRange(topicPartition);
    if (resets.length > 0) return undefined;
    try {
      return await this.#callWithRetries(async (broker) => {
        if (request.groupGenerationId !== this.#commitGeneration) throw staleCommitError();
        return broker.offsetCommit(request);
      });
    } catch (error) {
      // kafkajs would repeat this commit for minutes, and no newer offsets of any topic could be committed meanwhile.
      if (errorTypeOf(error) === "UNKNOWN_TOPIC_OR_PARTITION")
        throw Object.assign(error as Error, { retriable: false });
      throw error;
    }
  }

  /** Sends a request once: kafkajs repeats a join itself, from the drain on. */
  async #callCoordinator<T>(request: (broker: GroupBroker) => Promise<T>): Promise<T> {
    try {
      return await request(await this.#currentBroker());
    } catch (error) {
      if (isCoordinatorLost(error)) this.#broker = undefined;
      throw error;
    }
  }

  /** Sends a request, and sends it again to the new coordinator if the old one is lost. */
  async #callWithRetries<T>(request: (broker: GroupBroker) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#callCoordinator(request);
      } catch (error) {
        if (!isCoordinatorLost(error) || attempt === maxAttempts) throw error;
        await sleep(retryPauseMs);
      }
    }
  }

  async #currentBroker(): Promise<GroupBroker> {
    if (this.#broker) return this.#broker;
    this.#lookup ??= this.#findCoordinator().finally(() => {
      this.#lookup = undefined;
    });
    this.#broker = await this.#lookup;
    return this.#broker;
  }
}
