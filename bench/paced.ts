import type { OwnSink } from "./sink.ts";
import type { BenchTopic, UserEvent } from "./topic.ts";
import { pause } from "./until.ts";

export interface PacedOptions {
  readonly sink: OwnSink;
  readonly topic: BenchTopic;
  readonly events: Iterator<UserEvent, void>;
  readonly perSecond: number;
  readonly isCounted: (event: UserEvent) => boolean;
}

export interface MeasuredDelays {
  /** Milliseconds from the production of an event until the sink accepts it. */
  readonly delays: readonly number[];
  /** Events that did not arrive in time, or dropped out of the sink's call list before it was read. */
  readonly missed: number;
}

/** The first seconds do not count: the program warms up. */
const warmUpSeconds = 5;
const sendEveryMs = 5;
// The sink remembers the newest thousand calls: at this interval none is missed at a few thousand calls per second.
const pollEveryMs = 100;
const lateLimitMs = 15_000;

/** By message id, in milliseconds since 1970. */
type ProducedAt = Map<string, number>;

const takeNext = <T>(items: Iterator<T, void>, count: number): T[] => {
  const taken: T[] = [];
  while (taken.length < count) {
    const { value } = items.next();
    if (value === undefined) break;
    taken.push(value);
  }
  return taken;
};

const sendPaced = async (options: PacedOptions, producedAt: ProducedAt): Promise<void> => {
  const { topic, events, perSecond, isCounted } = options;
  const startedAt = performance.now();
  for (let sent = 0; ; await pause(sendEveryMs)) {
    const elapsed = (performance.now() - startedAt) / 1_000;
    const wanted = Math.floor(elapsed * perSecond) - sent;
    const batch = takeNext(events, wanted);
    const now = Date.now();
    const counted = elapsed > warmUpSeconds ? batch.filter(isCounted) : [];
    for (const { messageId } of counted) producedAt.set(messageId, now);
    await topic.send(batch);
    sent += batch.length;
    if (batch.length < wanted) return;
  }
};

/** The delays of the events that have arrived since the last call; removes them from `producedAt`. */
const collectDelays = async (sink: OwnSink, producedAt: ProducedAt): Promise<number[]> => {
  const delays: number[] = [];
  for (const { messageId = "", status, time } of await sink.calls()) {
    const at = producedAt.get(messageId);
    if (at === undefined || status !== 200) continue;
    delays.push(Date.parse(time) - at);
    producedAt.delete(messageId);
  }
  return delays;
};

/** Sends events at an even rate and measures how long each takes to reach the sink. */
export const measureDelays = async (options: PacedOptions): Promise<MeasuredDelays> => {
  const producedAt: ProducedAt = new Map();
  const delays: number[] = [];
  let sentAt = Number.POSITIVE_INFINITY;
  const sending = sendPaced(options, producedAt).finally(() => {
    sentAt = performance.now();
  });
  const isOver = (): boolean =>
    sentAt < Number.POSITIVE_INFINITY && (producedAt.size === 0 || performance.now() > sentAt + lateLimitMs);
  while (!isOver()) {
    delays.push(...(await collectDelays(options.sink, producedAt)));
    await pause(pollEveryMs);
  }
  await sending;
  return { delays, missed: producedAt.size };
};
