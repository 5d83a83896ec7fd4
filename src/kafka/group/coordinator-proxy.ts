import { setTimeout as sleep } from "node:timers/promises";

import { isRefusal } from "../topics/refusals.ts";
import type { TopicPartition } from "./consumer.ts";
import {
  type CommitRequest,
  type GroupBroker,
  type GroupMember,
  type JoinRequest,
  isLost,
  resetsIn,
  typeOf,
  withOffsets,
} from "./group-broker.ts";

type Repeatable = "heartbeat" | "offsetFetch" | "offsetCommit";

const pauseMs = 250;
const maxTries = 20;

/** Not to be repeated by kafkajs. */
const refusal = (): Error =>
  Object.assign(new Error("A commit of a former assignment comes too late"), { retriable: false });

export interface CoordinatorOptions {
  /** Asks the cluster who keeps the group. */
  readonly find: () => Promise<GroupBroker>;
  /** Awaited before the member leaves: work has to end first. */
  readonly beforeLeave: () => Promise<void>;
  /** The broker has nothing at the offset that was asked for. */
  readonly onOutOfRange: (place: TopicPartition) => void;
}

/**
 * The broker that keeps the group, whichever it is at the moment: kafkajs holds this in its place. kafkajs itself goes on
 * asking the one that it found when it joined until that one is back. So the group stood still for as long as a broker was
 * down, its work was done twice afterwards, and where the group had moved to another broker the last commit before a join failed.
 */
export class Coordinator {
  readonly #find: CoordinatorOptions["find"];
  readonly #beforeLeave: CoordinatorOptions["beforeLeave"];
  readonly #onOutOfRange: CoordinatorOptions["onOutOfRange"];
  #broker: GroupBroker | undefined;
  #finding: Promise<GroupBroker> | undefined;
  #generation: number | undefined;
  /** As whom we joined, until the group has let us go. */
  #member: GroupMember | undefined;
  #committable: number | undefined;

  constructor({ find, beforeLeave, onOutOfRange }: CoordinatorOptions) {
    this.#onOutOfRange = onOutOfRange;
    this.#find = find;
    this.#beforeLeave = beforeLeave;
  }

  get nodeId(): number | undefined {
    return this.#broker?.nodeId;
  }

  /** Asks the cluster anew. */
  async locate(): Promise<this> {
    this.#broker = undefined;
    await this.#current();
    return this;
  }

  /** kafkajs looks for the same broker again where it is not connected. */
  isConnected(): boolean {
    return true;
  }

  /** Lets the commit through that is made now, and kafkajs's repetitions of it until the next join: after that they would move the new owner's offsets. */
  allowCommit(): void {
    this.#committable = this.#generation;
  }

  async joinGroup(request: JoinRequest): Promise<unknown> {
    const joined = await this.#once((broker) => broker.joinGroup(request));
    this.#generation = joined.generationId;
    this.#member = { groupId: request.groupId, memberId: joined.memberId };
    return joined;
  }

  syncGroup(request: unknown): Promise<unknown> {
    return this.#once((broker) => broker.syncGroup(request));
  }

  /** kafkajs also leaves by itself, before it starts anew after a crash of its own. */
  async leaveGroup(request: GroupMember): Promise<unknown> {
    await this.#beforeLeave();
    const left = await this.#once((broker) => broker.leaveGroup(request));
    this.#member = undefined;
    return left;
  }

  /**
   * Leaves the group if kafkajs has not: it forgets a member whose join was refused half-way or whose farewell was refused, and
   * the group waits for that member until its session ends.
   */
  async leaveBehind(): Promise<void> {
    const member = this.#member;
    if (!member) return;
    try {
      await this.#once((broker) => broker.leaveGroup(member));
    } catch (error) {
      if (typeOf(error) !== "UNKNOWN_MEMBER_ID") throw error;
    }
    this.#member = undefined;
  }

  /** Throws if this user may not take part in the group. A stranger's heartbeat changes nothing there. */
  async ask(groupId: string): Promise<void> {
    try {
      await this.#once((broker) => broker.heartbeat({ groupId, groupGenerationId: -1, memberId: "" }));
    } catch (error) {
      if (isRefusal(error) || typeOf(error) === undefined) throw error;
    }
  }

  heartbeat(request: unknown): Promise<unknown> {
    return this.#untilAnswered("heartbeat", () => request);
  }

  async offsetFetch(request: unknown): Promise<unknown> {
    return withOffsets(await this.#untilAnswered("offsetFetch", () => request));
  }

  /** kafkajs's own commit would erase ours; where to go on is not its to decide. */
  async offsetCommit(request: CommitRequest): Promise<unknown> {
    const resets = resetsIn(request);
    for (const place of resets) this.#onOutOfRange(place);
    if (resets.length > 0) return undefined;
    try {
      return await this.#untilAnswered("offsetCommit", () => {
        if (request.groupGenerationId !== this.#committable) throw refusal();
        return request;
      });
    } catch (error) {
      // kafkajs would repeat these offsets for minutes, and no newer ones of any topic could be committed meanwhile.
      if (typeOf(error) === "UNKNOWN_TOPIC_OR_PARTITION") throw Object.assign(error as Error, { retriable: false });
      throw error;
    }
  }

  /** A join is not repeated here: kafkajs begins it anew, from the hook on. */
  async #once<T>(ask: (broker: GroupBroker) => Promise<T>): Promise<T> {
    try {
      return await ask(await this.#current());
    } catch (error) {
      if (isLost(error)) this.#broker = undefined;
      throw error;
    }
  }

  async #untilAnswered<What extends Repeatable>(
    what: What,
    request: () => unknown,
  ): Promise<Awaited<ReturnType<GroupBroker[What]>>> {
    for (let tries = 1; ; tries++) {
      try {
        const answer = await this.#once((broker) => broker[what](request() as never));
        return answer as Awaited<ReturnType<GroupBroker[What]>>;
      } catch (error) {
        if (!isLost(error) || tries === maxTries) throw error;
        await sleep(pauseMs);
      }
    }
  }

  async #current(): Promise<GroupBroker> {
    if (this.#broker) return this.#broker;
    this.#finding ??= this.#find().finally(() => {
      this.#finding = undefined;
    });
    this.#broker = await this.#finding;
    return this.#broker;
  }
}
