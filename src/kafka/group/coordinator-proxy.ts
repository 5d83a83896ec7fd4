import { setTimeout as sleep } from "node:timers/promises";

import { isAuthorizationError } from "../topics/refusals.ts";
import type { TopicPartition } from "./consumer.ts";
import {
  type OffsetCommitRequest,
  type GroupBroker,
  type GroupMember,
  type JoinGroupRequest,
  isCoordinatorLost,
  offsetResetsIn,
  brokerErrorOf,
  withPlaceholderOffsets,
} from "./group-broker.ts";

type RetriableApi = "heartbeat" | "offsetFetch" | "offsetCommit";

const retryPauseMs = 250;
const maxAttempts = 20;

/** Not to be repeated by kafkajs. */
const staleCommitError = (): Error =>
  Object.assign(new Error("A commit of a former assignment comes too late"), { retriable: false });

export interface CoordinatorProxyOptions {
  /** Asks the cluster who keeps the group. */
  readonly findCoordinator: () => Promise<GroupBroker>;
  /** Awaited before the member leaves: work has to end first. */
  readonly beforeLeave: () => Promise<void>;
  /** The broker has nothing at the offset that was asked for. */
  readonly onOutOfRange: (topicPartition: TopicPartition) => void;
}

/**
 * The broker that keeps the group, whichever it is at the moment: kafkajs holds this in its place. kafkajs itself goes on
 * asking the one that it found when it joined until that one is back. So the group stood still for as long as a broker was
 * down, its work was done twice afterwards, and where the group had moved to another broker the last commit before a join failed.
 */
export class CoordinatorProxy {
  readonly #findCoordinator: CoordinatorProxyOptions["findCoordinator"];
  readonly #beforeLeave: CoordinatorProxyOptions["beforeLeave"];
  readonly #onOutOfRange: CoordinatorProxyOptions["onOutOfRange"];
  #broker: GroupBroker | undefined;
  #lookup: Promise<GroupBroker> | undefined;
  #generation: number | undefined;
  /** As whom we joined, until the group has let us go. */
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

  /** Asks the cluster anew. */
  async rediscover(): Promise<this> {
    this.#broker = undefined;
    await this.#currentBroker();
    return this;
  }

  /** kafkajs looks for the same broker again where it is not connected. */
  isConnected(): boolean {
    return true;
  }

  /** Lets the commit through that is made now, and kafkajs's repetitions of it until the next join: after that they would move the new owner's offsets. */
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

  /** kafkajs also leaves by itself, before it starts anew after a crash of its own. */
  async leaveGroup(request: GroupMember): Promise<unknown> {
    await this.#beforeLeave();
    const response = await this.#callCoordinator((broker) => broker.leaveGroup(request));
    this.#member = undefined;
    return response;
  }

  /**
   * Leaves the group if kafkajs has not: it forgets a member whose join was refused half-way or whose farewell was refused, and
   * the group waits for that member until its session ends.
   */
  async leaveIfStillMember(): Promise<void> {
    const member = this.#member;
    if (!member) return;
    try {
      await this.#callCoordinator((broker) => broker.leaveGroup(member));
    } catch (error) {
      if (brokerErrorOf(error) !== "UNKNOWN_MEMBER_ID") throw error;
    }
    this.#member = undefined;
  }

  /** Throws if this user may not take part in the group. A stranger's heartbeat changes nothing there. */
  async checkGroupAccess(groupId: string): Promise<void> {
    try {
      await this.#callCoordinator((broker) => broker.heartbeat({ groupId, groupGenerationId: -1, memberId: "" }));
    } catch (error) {
      if (isAuthorizationError(error) || brokerErrorOf(error) === undefined) throw error;
    }
  }

  heartbeat(request: unknown): Promise<unknown> {
    return this.#callWithRetries("heartbeat", () => request);
  }

  async offsetFetch(request: unknown): Promise<unknown> {
    return withPlaceholderOffsets(await this.#callWithRetries("offsetFetch", () => request));
  }

  /** kafkajs's own commit would erase ours; where to go on is not its to decide. */
  async offsetCommit(request: OffsetCommitRequest): Promise<unknown> {
    const resets = offsetResetsIn(request);
    for (const topicPartition of resets) this.#onOutOfRange(topicPartition);
    if (resets.length > 0) return undefined;
    try {
      return await this.#callWithRetries("offsetCommit", () => {
        if (request.groupGenerationId !== this.#commitGeneration) throw staleCommitError();
        return request;
      });
    } catch (error) {
      // kafkajs would repeat these offsets for minutes, and no newer ones of any topic could be committed meanwhile.
      if (brokerErrorOf(error) === "UNKNOWN_TOPIC_OR_PARTITION")
        throw Object.assign(error as Error, { retriable: false });
      throw error;
    }
  }

  /** A join is not repeated here: kafkajs begins it anew, from the hook on. */
  async #callCoordinator<T>(ask: (broker: GroupBroker) => Promise<T>): Promise<T> {
    try {
      return await ask(await this.#currentBroker());
    } catch (error) {
      if (isCoordinatorLost(error)) this.#broker = undefined;
      throw error;
    }
  }

  async #callWithRetries<What extends RetriableApi>(
    api: What,
    request: () => unknown,
  ): Promise<Awaited<ReturnType<GroupBroker[What]>>> {
    for (let attempt = 1; ; attempt++) {
      try {
        const answer = await this.#callCoordinator((broker) => broker[api](request() as never));
        return answer as Awaited<ReturnType<GroupBroker[What]>>;
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
