import { type Bench, type BenchContext, atLeastRow, infoRow } from "./bench.ts";
import { measure } from "./measure.ts";
import { startService } from "./service.ts";
import { openTopic, userEvents } from "./topic.ts";

const partitions = 12;
const latencyMs = 50;
/** Few enough that the target, not the CPU of this machine, limits four instances. */
const connections = 32;

/** Events per second of this many instances, measured while all of them own partitions and are busy. */
const measureInstances = async (context: BenchContext, instances: number): Promise<number> => {
  const { sink, args } = context;
  const events = (args.events ?? 15_000) * instances;
  const topic = await openTopic(context, partitions);
  await sink.reset({ kind: "latency", ms: latencyMs });
  const options = { topic: topic.name, group: topic.name, connections };
  const services = await Promise.all(Array.from({ length: instances }, () => startService(context, options)));
  try {
    await Promise.all(services.map(({ untilReady }) => untilReady(partitions / instances)));
    await topic.send(userEvents({ users: 10_000, count: events }));
    const done = async (): Promise<number> => (await sink.stats()).delivered;
    const window = { from: events * 0.2, events: events * 0.85 };
    return (await measure({ pid: process.pid, ...window, sink, done, limitMs: 180_000 })).eventsPerSecond;
  } finally {
    await topic.close();
    await Promise.all(services.map(({ stop }) => stop()));
  }
};

/** Measures that four instances do nearly four times the work of one. */
export const benchScale: Bench = async (context) => {
  const one = await measureInstances(context, 1);
  const four = await measureInstances(context, 4);
  return [
    infoRow(`events/s of one instance (${latencyMs} ms, ${connections} connections each)`, one),
    infoRow("events/s of four instances", four),
    atLeastRow(3.6, "times one instance", four / one),
  ];
};
