import { type Bench, atMostRow } from "./bench.ts";
import { cpuMicros } from "./process.ts";
import { startService } from "./service.ts";
import { openTopic, userEvents } from "./topic.ts";
import { pause, waitUntil } from "./until.ts";

const quietStartMs = 5_000;
const idleMs = 20_000;

/** Measures that a service with nothing left to do uses almost no CPU. */
export const benchIdle: Bench = async (context) => {
  const { sink } = context;
  const topic = await openTopic(context, 6);
  await topic.send(userEvents({ users: 100, count: 1_000 }));
  await topic.close();
  await sink.reset();
  const service = await startService(context, { topic: topic.name, group: topic.name, connections: 64 });
  try {
    await waitUntil(async () => (await sink.stats()).delivered >= 1_000, { what: "all events", limitMs: 60_000 });
    await pause(quietStartMs);
    const before = cpuMicros(service.pid);
    await pause(idleMs);
    const share = (cpuMicros(service.pid) - before) / (idleMs * 1_000);
    return [atMostRow(1, `% of a core over ${idleMs / 1_000} idle seconds`, share * 100)];
  } finally {
    await service.stop();
  }
};
