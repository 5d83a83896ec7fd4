import type { Fault } from "../src/standin/fault.ts";
import { type Bench, type BenchContext, atLeastRow, atMostRow, infoRow } from "./bench.ts";
import { measure } from "./measure.ts";
import { measureDelays } from "./paced.ts";
import { type Service, startService } from "./service.ts";
import { type UserEvent, openTopic, userEvents } from "./topic.ts";

const partitions = 6;
const users = 1_000;
const failingUsers = users / 100;
/** Few enough that the target, not the CPU of this machine, limits the speed. */
const connections = 32;
const latencyMs = 20;
/** 70 % of the speed that the target allows. */
const perSecond = Math.round((connections / latencyMs) * 1_000 * 0.7);
const flowSeconds = 25;

/** All calls for these users fail. For a fair comparison, as many faults for users that do not exist cost the sink the same. */
const faultsFor = (failing: readonly string[]): Fault[] => [
  { kind: "latency", ms: latencyMs },
  ...failing.map((userId) => ({ kind: "status", status: 500, match: { userId } }) as const),
];

const start = (context: BenchContext, topic: string): Promise<Service> =>
  startService(context, { topic, group: topic, connections, env: { RETRY_DELAYS: "2s,5s,10s" } });

/** Events per second of the healthy users, read from a full topic. */
const measureBacklog = async (context: BenchContext, failing: readonly string[]): Promise<number> => {
  const { sink, args } = context;
  const topic = await openTopic(context, partitions);
  const events = [...userEvents({ users, count: args.events ?? 20_000 })];
  await topic.send(events);
  await topic.close();
  await sink.reset(...faultsFor(failing));
  const service = await start(context, topic.name);
  try {
    const done = async (): Promise<number> => (await sink.stats()).delivered;
    const healthy = events.filter(({ userId }) => !failing.includes(userId)).length;
    const measured = await measure({ ...service, events: healthy, sink, done, limitMs: 180_000 });
    return measured.eventsPerSecond;
  } finally {
    await service.stop();
  }
};

interface FlowResult {
  /** The 99th percentile of the time from production to acceptance, in milliseconds. */
  readonly p99: number;
  readonly missed: number;
}

/** Delivery times at an even rate. Only events of healthy users count. */
const measureFlow = async (context: BenchContext, failing: readonly string[]): Promise<FlowResult> => {
  const { sink } = context;
  const topic = await openTopic(context, partitions);
  await sink.reset(...faultsFor(failing));
  const service = await start(context, topic.name);
  try {
    await service.untilReady(partitions);
    const events = userEvents({ users, count: perSecond * flowSeconds });
    const isCounted = ({ userId }: UserEvent): boolean => !failing.includes(userId);
    const { delays, missed } = await measureDelays({ sink, topic, events, perSecond, isCounted });
    return { p99: delays.toSorted((a, b) => a - b)[Math.floor(delays.length * 0.99)] ?? Number.NaN, missed };
  } finally {
    await topic.close();
    await service.stop();
  }
};

const distinctUsers = (events: Iterable<UserEvent>): string[] => [
  ...new Set(Array.from(events, ({ userId }) => userId)),
];

/** Measures that failing users do not slow the others down. */
export const benchFailing: Bench = async (context) => {
  const failing = distinctUsers(userEvents({ users, count: 10 * users })).slice(0, failingUsers);
  const absentUsers = failing.map((userId) => `not-${userId}`);
  const withoutFailures = await measureFlow(context, absentUsers);
  const withFailures = await measureFlow(context, failing);
  const without = await measureBacklog(context, absentUsers);
  const withFailing = await measureBacklog(context, failing);
  return [
    infoRow(`p99 in ms at ${perSecond} events/s without failures`, withoutFailures.p99),
    infoRow("p99 in ms of healthy users while 1 % fail", withFailures.p99),
    atMostRow(1.3, "times as long", withFailures.p99 / withoutFailures.p99),
    atMostRow(0, "events of healthy users that did not arrive in time", withoutFailures.missed + withFailures.missed),
    infoRow("events/s from a full topic without failures", without),
    infoRow("events/s of healthy users while 1 % fail", withFailing),
    atLeastRow(0.9, "times as many", withFailing / without),
  ];
};
