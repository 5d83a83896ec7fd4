import { setImmediate as nextTurn } from "node:timers/promises";

import { type Hold, type Verdict, dead, delivered } from "../../src/core/outcome/outcome.ts";
import type { ParsedRecord } from "../../src/core/parsed-record.ts";
import { createTestClock } from "../delivery/test-clock.ts";
import { type TopicPartition, createSimulatedBroker } from "./simulated-broker.ts";
import {
  type Ended,
  createSimulatedMember,
  type RegistryAnswer,
  deadLetters,
  failed,
  limits,
  retryTopics,
  source,
  type SimulatedMember,
} from "./simulated-member.ts";

export type Answer = "deliver" | "fail" | "dead" | "throttled";
export type EventKind = "track" | "repeat" | "page" | "invalid" | "unreadable" | "list" | "schema";

const partitions = 2;
const users = ["u", "v", "w"] as const;
/** The records of this user have another key, so that their user is unknown until their schema is fetched. */
export const keylessUser = "x";
/** Users of one partition, and one of the other. */
const partitionOf = (user: string): number => (user === "v" ? 1 : 0);
const throttled: Hold = { kind: "hold", reason: "throttled", error: "Gainsight throttles (429)" };
const verdicts: Readonly<Record<Answer, Verdict>> = {
  deliver: delivered,
  fail: failed,
  dead: dead("rejected", "Refused", 400),
  throttled,
};

/** A call that Gainsight took. */
export interface Taken {
  readonly userId: string;
  readonly messageId: string;
  /** How often its partition had changed its owner before: deduplication forgets what was delivered then. */
  readonly tenure: number;
}

const patientRounds = 3_000;

/** A cluster and one member of the group after the other, with everything that happens to them decided by hand. */
export const createPipelineWorld = () => {
  const clock = createTestClock();
  const topics = [source, ...retryTopics.map(({ topic }) => topic), deadLetters];
  const broker = createSimulatedBroker({ topics, partitions, now: clock.now });
  const ended: Ended[] = [];
  const taken: Taken[] = [];
  const produced: { readonly topicPartition: TopicPartition; readonly ids: readonly string[] }[] = [];
  const tenures = [0, 0];
  let sequence = 0;
  let schemas = 0;
  let overlaps = 0;
  let ownedNumbers: readonly number[] = [0, 1];
  let joining: Promise<void> | undefined;
  /** Failed calls of an event since it last went to a retry topic. */
  const failures = new Map<string | undefined, number>();
  const unfair: string[] = [];
  let isSpilled = false;
  let hasLostWrites = false;
  const onMoved = ({ messageId, decision }: ParsedRecord, reason: string): void => {
    // An invalid event with the messageId of a valid one waits for no other event, and is never called.
    if (decision.kind === "dead") return;
    const calls = failures.get(messageId) ?? 0;
    failures.delete(messageId);
    if (reason === failed.reason && calls < limits.quickAttempts && !isSpilled)
      unfair.push(`${messageId} went to a retry topic after ${calls} failed calls`);
  };
  const start = (): SimulatedMember =>
    createSimulatedMember({ broker, clock, onEnded: (event) => void ended.push(event), onMoved });
  let member = start();

  const settleDown = async (): Promise<void> => {
    for (let turn = 0; turn < 4; turn++) await nextTurn();
  };

  const topicPartitionsOf = (numbers: readonly number[]): TopicPartition[] =>
    broker.topicPartitions.filter(({ topic, partition }) => topic !== deadLetters && numbers.includes(partition));

  /** Does what kafkajs does at every join. Work in flight continues until it ends or the drain timeout is over. */
  const join = (numbers: readonly number[]): void => {
    if (joining) return;
    const mine = member;
    const rejoin = async (): Promise<void> => {
      await mine.rebalanceHandler.beforeJoin();
      if (mine !== member) return;
      // The drain limit has passed before they were acknowledged: the next owner cannot know what lies in the retry topics.
      hasLostWrites ||= mine.producer.writes.length > 0;
      for (const partition of tenures.keys())
        if (!numbers.includes(partition)) tenures[partition] = tenureOf(partition) + 1;
      ownedNumbers = numbers;
      mine.consumer.join(topicPartitionsOf(numbers));
      mine.rebalanceHandler.onJoined(topicPartitionsOf(numbers));
    };
    joining = rejoin().finally(() => {
      if (mine === member) joining = undefined;
    });
  };
  const tenureOf = (partition: number): number => tenures[partition] ?? 0;

  /** The process is gone; another one joins in its place. */
  const crash = (): void => {
    for (const partition of tenures.keys()) tenures[partition] = tenureOf(partition) + 1;
    member.consumer.die();
    member.producer.die();
    member.scheduler.dropAssignment();
    member = start();
    joining = undefined;
    join([0, 1]);
  };

  const valueOf = (kind: EventKind, user: string, messageId: string): object => {
    const event = { messageId, userId: user, timestamp: new Date(clock.now()).toISOString() };
    if (kind === "page") return { ...event, type: "page" };
    if (kind === "invalid") return { ...event, type: "track" };
    return { ...event, type: "track", event: sequence % 3 === 0 ? "Rare" : "Common" };
  };
  const idsOf = (kind: EventKind, user: string): string[] => {
    const fresh = (): string => `${user}-${++sequence}`;
    if (kind === "list") return [fresh(), fresh()];
    const earlier = produced.flatMap(({ ids }) => ids).findLast((id) => id.startsWith(user));
    return [kind === "repeat" && earlier !== undefined ? earlier : fresh()];
  };
  const textOf = (kind: EventKind, user: string, ids: readonly string[]): string => {
    const events = ids.map((id) => valueOf(kind, user, id));
    if (kind === "unreadable") return "not JSON";
    if (kind !== "schema") return JSON.stringify(kind === "list" ? events : events[0]);
    schemas = (schemas + 1) % 4;
    return `schema${schemas} ${JSON.stringify(events[0])}`;
  };
  const produce = (kind: EventKind, number: number): void => {
    const user = kind === "schema" ? keylessUser : (users[number % users.length] ?? "u");
    const topicPartition = { topic: source, partition: partitionOf(user) };
    const ids = idsOf(kind, user);
    produced.push({ topicPartition, ids });
    broker.append(topicPartition, { key: user === keylessUser ? "another key" : user, value: textOf(kind, user, ids) });
  };

  const answerCall = (call: (typeof member.target.calls)[number], answer: Answer): void => {
    const { userId, messageId } = call;
    if (answer === "fail") failures.set(messageId, (failures.get(messageId) ?? 0) + 1);
    if (answer === "deliver") taken.push({ userId, messageId, tenure: tenureOf(partitionOf(userId)) });
    call.answer(verdicts[answer]);
  };
  const answer = (number: number, how: Answer): void => {
    const { calls } = member.target;
    const call = calls[number % Math.max(1, calls.length)];
    if (call) answerCall(call, how);
  };
  const write = (number: number, how: "acknowledged" | "lost"): void => {
    const { writes } = member.producer;
    writes[number % Math.max(1, writes.length)]?.answer(how);
  };
  const registryAnswers = (how: RegistryAnswer): void => member.registry.asked[0]?.answer(how);
  const fetch = (number: number): void => member.consumer.fetch(member.ingest, 1 + (number % 9));

  /** Everything goes well for a moment. */
  const help = async (): Promise<void> => {
    member.setPaused(false);
    member.setMayStart(true);
    member.changeLimit();
    member.target.open();
    member.scheduler.startReady();
    member.consumer.failing.commits = 0;
    member.producer.refusing.count = 0;
    registryAnswers("known");
    member.registry.registerAll();
    for (const call of member.target.calls.slice()) answerCall(call, "deliver");
    for (const { answer: acknowledge } of member.producer.writes.slice()) acknowledge("acknowledged");
    await settleDown();
    fetch(8);
    await settleDown();
    clock.advance(250);
    await settleDown();
    void member.commits.commitNow();
    await settleDown();
  };
  const backlog = (): number =>
    topicPartitionsOf(ownedNumbers).reduce(
      (sum, topicPartition) => sum + broker.endOf(topicPartition) - broker.committedOf(topicPartition),
      0,
    );
  const isDone = (): boolean => backlog() === 0 && ownedNumbers.length === partitions && joining === undefined;
  /** Completes all events without the periodic checks: nothing may wait for a change that was missed. */
  const drain = async (): Promise<void> => {
    for (let round = 0; !isDone(); round++) {
      if (round === patientRounds) throw new Error(`${backlog()} records never come to an end`);
      if (ownedNumbers.length < partitions) join([0, 1]);
      await help();
    }
  };

  /** What must never be, whatever happens: a partition that waits for nothing, and two calls of one user. */
  const faults = (): string[] => {
    const inFlight = member.target.calls.map(({ userId }) => userId);
    if (new Set(inFlight).size < inFlight.length) overlaps++;
    const idle = member.ingest.ownedPartitions.flatMap((owned) =>
      [...owned.pauses].flatMap(([reason, mustWait]) =>
        mustWait() ? [] : [`${owned.topic}/${owned.partition} is paused for ${reason}, which has ended`],
      ),
    );
    const unpaused = member.ingest.ownedPartitions.flatMap((owned) =>
      owned.pauses.size > 0 === member.consumer.isPaused(owned)
        ? []
        : [`${owned.topic}/${owned.partition} is paused wrongly`],
    );
    return [...idle, ...unpaused, ...unfair, ...member.consumer.wrong, ...member.fatal.map(String)];
  };

  join([0, 1]);
  return {
    ended,
    taken,
    produced,
    get overlaps() {
      return overlaps;
    },
    /** A write was not acknowledged before its assignment ended: its events may complete twice. */
    get hasLostWrites() {
      return hasLostWrites;
    },
    get member() {
      return member;
    },
    acts: {
      produce,
      fetch,
      answer,
      write,
      registryAnswers,
      registerAll: () => member.registry.registerAll(),
      join,
      crash,
      probe: () => {
        member.target.probe();
        member.scheduler.startReady();
      },
      advance: (ms: number) => clock.advance(ms),
      commit: () => void member.commits.commitNow(),
      failCommit: () => void (member.consumer.failing.commits = 1),
      setPaused: (isPaused: boolean) => member.setPaused(isPaused),
      setMayStart: (mayStart: boolean) => member.setMayStart(mayStart),
      setEvents: (events: readonly string[]) => member.setEvents(events),
      changeLimit: () => member.changeLimit(),
      spill: () => {
        isSpilled = true;
        member.ingest.reviewPeriodically();
      },
      tooLarge: () => void (member.producer.refusing.count = 1),
    },
    settleDown,
    faults,
    drain,
  };
};
