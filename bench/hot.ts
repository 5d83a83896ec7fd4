import { type Bench, type BenchContext, atMostRow, infoRow } from "./bench.ts";
import { measure } from "./measure.ts";
import { startService } from "./service.ts";
import { type UserEvent, openTopic, userEvents } from "./topic.ts";

function* all(count: number): Generator<UserEvent> {
  // Told apart by their type, for the sink counts by it.
  for (const event of userEvents({ users: 1_000, count })) yield { ...event, type: "track", event: "Seen" };
}

/** Every second event is the hot user's. */
function* withHotUser(events: Iterable<UserEvent>): Generator<UserEvent> {
  for (const event of events) {
    yield event;
    yield { ...event, type: "identify", userId: "hot", messageId: `${event.messageId}-hot`, traits: {} };
  }
}

/** Seconds until every event of the other users is delivered. */
const secondsOfOthers = async (stage: BenchContext, events: Iterable<UserEvent>, others: number): Promise<number> => {
  const { sink } = stage;
  const topic = await openTopic(stage, 6);
  await topic.send(events);
  await topic.close();
  await sink.reset({ kind: "latency", ms: 20 });
  const service = await startService(stage, { topic: topic.name, group: topic.name, connections: 64 });
  try {
    const done = async (): Promise<number> => (await sink.stats()).byType["track"] ?? 0;
    const { eventsPerSecond } = await measure({ ...service, events: others, sink, done, limitMs: 300_000 });
    return others / eventsPerSecond;
  } finally {
    await service.stop();
  }
};

/** A user with half of all events is slow alone: the others do not wait for him. */
export const benchHot: Bench = async (stage) => {
  const others = (stage.args.events ?? 20_000) / 2;
  const without = await secondsOfOthers(stage, all(others), others);
  const withHot = await secondsOfOthers(stage, withHotUser(all(others)), others);
  return [
    infoRow(`seconds for ${others} events without the hot user`, without),
    infoRow("seconds for them beside as many of the hot user", withHot),
    atMostRow(1.3, "times as long", withHot / without),
  ];
};
