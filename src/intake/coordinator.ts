import { setTimeout as sleep } from "node:timers/promises";

import { isRefusal } from "../kafka/refusals.ts";

/** What kafkajs asks of the broker that keeps the group. */
export interface GroupBroker {
  readonly nodeId: number;
  heartbeat(request: unknown): Promise<unknown>;
  joinGroup(request: JoinRequest): Promise<{ readonly generationId: number; readonly memberId: string }>;
  syncGroup(request: unknown): Promise<unknown>;
  leaveGroup(request: GroupMember): Promise<unknown>;
  offsetFetch(request: unknown): Promise<unknown>;
  offsetCommit(request: CommitRequest): Promise<unknown>;
}

interface JoinRequest {
  readonly groupId: string;
}

interface GroupMember {
  readonly groupId: string;
  readonly memberId: string;
}

interface CommitRequest {
  readonly groupGenerationId: number;
  readonly topics?: readonly { readonly partitions: readonly { readonly offset: unknown }[] }[];
}

/** Not ours: so kafkajs begins anew where an offset is out of the log's range. */
const isReset = ({ topics = [] }: CommitRequest): boolean =>
  topics.length > 0 && topics.every(({ partitions }) => partitions.every(({ offset }) => Number(offset) < 0));

type Repeatable = "heartbeat" | "offsetFetch" | "offsetCommit";

const pauseMs = 250;
const maxTries = 20;

const lostNames = new Set([
  "KafkaJSConnectionError",
  "KafkaJSConnectionClosedError",
  "KafkaJSRequestTimeoutError",
  "KafkaJSBrokerNotFound",
]);
const lostTypes = new Set(["NOT_COORDINATOR_FOR_GROUP", "GROUP_COORDINATOR_NOT_AVAILABLE"]);

/** What a broker has answered; undefined if none has. */
const typeOf = (error: unknown): unknown => (error as { type?: unknown }).type;

/** Whether an error says that another broker may keep the group by now. */
const isLost = (error: unknown): boolean => {
  const { name = "", type = "" } = error as { name?: string; type?: string };
  return lostNames.has(name) || lostTypes.has(type);
};

/** Not to be repeated by kafkajs. */
const refusal = (): Error =>
  Object.assign(new Error("A commit of a former assignment comes too late"), { retriable: false });

export interface CoordinatorOptions {
  /** Asks the cluster who keeps the group. */
  readonly find: () => Promise<GroupBroker>;
  /** Awaited before the member leaves: work has to end first. */
  readonly beforeLeave: () => Promise<void>;
}

/**
 * The broker that keeps the group, whichever it is at the moment: kafkajs holds this in its place. kafkajs itself goes on
 * asking the one that it found when it joined until that one is back. So the group stood still for as long as a broker was
 * down, its work was done twice afterwards, and where the group had moved to another broker the last commit before a join failed.
 */
export class Coordinator {
  readonly #find: CoordinatorOptions["find"];
  readonly #beforeLeave: CoordinatorOptions["beforeLeave"];
  #broker: GroupBroker | undefined;
  #finding: Promise<GroupBroker> | undefined;
  #generation: number | undefined;
  /** As whom we joined, until the group has let us go. */
  #member: GroupMember | undefined;
  #committable: number | undefined;

  constructor({ find, beforeLeave }: CoordinatorOptions) {
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

  offsetFetch(request: unknown): Promise<unknown> {
    return this.#untilAnswered("offsetFetch", () => request);
  }

  offsetCommit(request: CommitRequest): Promise<unknown> {
    return this.#untilAnswered("offsetCommit", () => {
      if (!isReset(request) && request.groupGenerationId !== this.#committable) throw refusal();
      return request;
    });
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

  async #untilAnswered(what: Repeatable, request: () => unknown): Promise<unknown> {
    for (let tries = 1; ; tries++) {
      try {
        return await this.#once((broker) => broker[what](request() as never));
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
