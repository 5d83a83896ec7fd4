import { type Bench, atMostRow } from "./bench.ts";
import { cpuMicros } from "./process.ts";
import { startService } from "./service.ts";
import { openTopic, userEvents } from "./topic.ts";
import { pause, waitUntil } from "./until.ts";

const settleMs = 5_000;
const idleMs = 20_000;

/** A service that has worked and has nothing more to do costs nearly nothing. */
export const benchIdle: Bench = async (stage) => {
  const { sink } = stage;
  const topic = await openTopic(stage, 6);
  await topic.send(userEvents({ users: 100, count: 1_000 }));
  await topic.close();
  await sink.reset();
  const service = await startService(stage, { topic: topic.name, group: topic.name, connections: 64 });
  try {
    await waitUntil(async () => (await sink.stats()).delivered >= 1_000, { what: "All events", limitMs: 60_000 });
    await pause(settleMs);
    const before = cpuMicros(service.pid);
    await pause(idleMs);
    const share = (cpuMicros(service.pid) - before) / (idleMs * 1_000);
    return [atMostRow(1, `% of a core over ${idleMs / 1_000} idle seconds`, share * 100)];
  } finally {
    await service.stop();
  }
};
