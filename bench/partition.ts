import { type Bench, atMostRow, infoRow } from "./bench.ts";
import { measure } from "./measure.ts";
import { startService } from "./service.ts";
import { openTopic, userEvents } from "./topic.ts";

/** Measures that one partition is as fast as the target allows, because its users are delivered in parallel. */
export const benchPartition: Bench = async (context) => {
  const { sink, args } = context;
  const { events = 10_000 } = args;
  const topic = await openTopic(context, 1);
  await topic.send(userEvents({ users: 1_000, count: events * 2 }));
  await topic.close();
  await sink.reset({ kind: "latency", ms: 0, jitterMs: 5 });
  const service = await startService(context, { topic: topic.name, group: topic.name, connections: 64 });
  try {
    const done = async (): Promise<number> => (await sink.stats()).delivered;
    const options = { pid: service.pid, sink, done, limitMs: 60_000 };
    const cold = await measure({ ...options, events });
    const warm = await measure({ ...options, from: events, events: events * 2 });
    return [
      atMostRow(1, `seconds for ${events} records in one partition`, events / cold.eventsPerSecond),
      infoRow(`seconds for ${events} more, after the warm-up`, events / warm.eventsPerSecond),
      atMostRow(0, "inversions", warm.inversions ?? 0),
    ];
  } finally {
    await service.stop();
  }
};
