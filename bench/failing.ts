import type { Fault } from "../src/standin/fault.ts";
import { type Bench, type BenchContext, atLeastRow, atMostRow, infoRow } from "./bench.ts";
import { measure } from "./measure.ts";
import { measureDelays } from "./paced.ts";
import { type Service, startService } from "./service.ts";
import { type UserEvent, openTopic, userEvents } from "./topic.ts";

const partitions = 6;
const users = 1_000;
const failingUsers = users / 100;
/** So few that the target, not the processors of this machine, is the limit. */
const connections = 32;
const latencyMs = 20;
/** 70 % of what the target allows. */
const perSecond = Math.round((connections / latencyMs) * 1_000 * 0.7);
const flowSeconds = 25;

/** The calls of these users fail for good. Users who do not exist cost the sink as much, for a fair comparison. */
const faultsFor = (failing: readonly string[]): Fault[] => [
  { kind: "latency", ms: latencyMs },
  ...failing.map((userId) => ({ kind: "status", status: 500, match: { userId } }) as const),
];

const start = (stage: BenchContext, topic: string): Promise<Service> =>
  startService(stage, { topic, group: topic, connections, env: { RETRY_DELAYS: "2s,5s,10s" } });

/** Events per second of the healthy users, from a full topic. */
const measureBacklog = async (stage: BenchContext, failing: readonly string[]): Promise<number> => {
  const { sink, args } = stage;
  const topic = await openTopic(stage, partitions);
  const events = [...userEvents({ users, count: args.events ?? 20_000 })];
  await topic.send(events);
  await topic.close();
  await sink.reset(...faultsFor(failing));
  const service = await start(stage, topic.name);
  try {
    const done = async (): Promise<number> => (await sink.stats()).delivered;
    const healthy = events.filter(({ userId }) => !failing.includes(userId)).length;
    const measured = await measure({ ...service, events: healthy, sink, done, limitMs: 180_000 });
    return measured.eventsPerSecond;
  } finally {
    await service.stop();
  }
};

interface Flow {
  /** The 99th percentile in milliseconds from producing to acceptance. */
  readonly p99: number;
  readonly unseen: number;
}

/** An even flow, in which only the healthy users' events count. */
const measureFlow = async (stage: BenchContext, failing: readonly string[]): Promise<Flow> => {
  const { sink } = stage;
  const topic = await openTopic(stage, partitions);
  await sink.reset(...faultsFor(failing));
  const service = await start(stage, topic.name);
  try {
    await service.untilReady(partitions);
    const events = userEvents({ users, count: perSecond * flowSeconds });
    const isCounted = ({ userId }: UserEvent): boolean => !failing.includes(userId);
    const { delays, missed: unseen } = await measureDelays({ sink, topic, events, perSecond, isCounted });
    return { p99: delays.toSorted((a, b) => a - b)[Math.floor(delays.length * 0.99)] ?? Number.NaN, unseen };
  } finally {
    await topic.close();
    await service.stop();
  }
};

const distinctUsers = (events: Iterable<UserEvent>): string[] => [
  ...new Set(Array.from(events, ({ userId }) => userId)),
];

/** Users whose events fail do not slow the others down. */
export const benchFailing: Bench = async (stage) => {
  const failing = distinctUsers(userEvents({ users, count: 10 * users })).slice(0, failingUsers);
  const nobody = failing.map((userId) => `not-${userId}`);
  const calm = await measureFlow(stage, nobody);
  const troubled = await measureFlow(stage, failing);
  const without = await measureBacklog(stage, nobody);
  const withFailing = await measureBacklog(stage, failing);
  return [
    infoRow(`p99 in ms at ${perSecond} events/s without failures`, calm.p99),
    infoRow("p99 in ms of healthy users while 1 % fail", troubled.p99),
    atMostRow(1.3, "times as long", troubled.p99 / calm.p99),
    atMostRow(0, "events of healthy users that were not seen", calm.unseen + troubled.unseen),
    infoRow("events/s from a full topic without failures", without),
    infoRow("events/s of healthy users while 1 % fail", withFailing),
    atLeastRow(0.9, "times as many", withFailing / without),
  ];
};
