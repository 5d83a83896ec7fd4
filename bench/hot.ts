import { type Bench, type BenchContext, atMostRow, infoRow } from "./bench.ts";
import { measure } from "./measure.ts";
import { startService } from "./service.ts";
import { type UserEvent, openTopic, userEvents } from "./topic.ts";

function* trackEvents(count: number): Generator<UserEvent> {
  // All of type track: the sink counts by type, and the hot user's events are of type identify.
  for (const event of userEvents({ users: 1_000, count })) yield { ...event, type: "track", event: "Seen" };
}

/** Adds one event of the hot user after each event. */
function* withHotUser(events: Iterable<UserEvent>): Generator<UserEvent> {
  for (const event of events) {
    yield event;
    yield { ...event, type: "identify", userId: "hot", messageId: `${event.messageId}-hot`, traits: {} };
  }
}

/** Seconds until every event of the other users is delivered. */
const secondsOfOthers = async (context: BenchContext, events: Iterable<UserEvent>, others: number): Promise<number> => {
  const { sink } = context;
  const topic = await openTopic(context, 6);
  await topic.send(events);
  await topic.close();
  await sink.reset({ kind: "latency", ms: 20 });
  const service = await startService(context, { topic: topic.name, group: topic.name, connections: 64 });
  try {
    const done = async (): Promise<number> => (await sink.stats()).byType["track"] ?? 0;
    const { eventsPerSecond } = await measure({ ...service, events: others, sink, done, limitMs: 300_000 });
    return others / eventsPerSecond;
  } finally {
    await service.stop();
  }
};

/** Measures that a user with half of all events does not delay the others. */
export const benchHot: Bench = async (context) => {
  const others = (context.args.events ?? 20_000) / 2;
  const without = await secondsOfOthers(context, trackEvents(others), others);
  const withHot = await secondsOfOthers(context, withHotUser(trackEvents(others)), others);
  return [
    infoRow(`seconds for ${others} events without the hot user`, without),
    infoRow("seconds for them with as many events of the hot user", withHot),
    atMostRow(1.3, "times as long", withHot / without),
  ];
};
