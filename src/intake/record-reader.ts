import type { KafkaMessage } from "kafkajs";

import type { Handler } from "../core/decide.ts";
import { normalEvent } from "../core/event/normal-form.ts";
import type { Repair } from "../core/event/repairs.ts";
import type { JsonObject } from "../core/json/json.ts";
import { type Origin, type Past, headerNames, originInList, originOf, readPast } from "../core/outcome/headers.ts";
import { dead, skipped } from "../core/outcome/outcome.ts";
import type { Arrival, KafkaRecord } from "../core/parsed-record.ts";
import { userOf } from "../core/rules/validate.ts";
import type { Decoded, Decoder } from "../decoding/decoder.ts";
import type { TopicPartition } from "../kafka/group/consumer.ts";

export interface ReaderOptions {
  readonly decoder: Pick<Decoder, "decode">;
  readonly handle: Handler;
  /** Milliseconds since 1970; stands in where neither an event nor its record has a time. */
  readonly now?: () => number;
}

/** A record understood, with the events it holds, or the schema that has to be fetched first. */
export type Reading =
  | { readonly kind: "arrivals"; readonly arrivals: readonly Arrival[] }
  | { readonly kind: "needs_schema"; readonly schemaId: number };

/** Reads a message of a source, or of the retry tier of this number: there its headers tell of its past. */
export type Reader = (
  message: KafkaMessage,
  place: TopicPartition & { readonly tier: number | undefined; readonly topicId?: string | undefined },
) => Reading;

const recordOf = ({ key, value, headers, timestamp }: KafkaMessage): KafkaRecord => ({
  key,
  value,
  headers: headers ?? {},
  timestamp: Number(timestamp),
});

const pastOf = (record: KafkaRecord, here: Origin, tier: number | undefined): Past =>
  tier === undefined ? { origin: here, attempts: 0, firstFailedAt: undefined } : readPast(record.headers, here);

/** Nobody knows whose it is: it waits for nobody. */
const unread = (record: KafkaRecord, past: Past, meaning: Arrival["meaning"]): Reading => ({
  kind: "arrivals",
  arrivals: [{ record, user: past.origin.id, type: "unknown", meaning, past, repairs: [] }],
});

/** Its schema may come late, and tell whose it is: until then its key is the best guess, so that what follows waits behind it. */
const unreadYet = (record: KafkaRecord, past: Past, schemaId: number): Reading => {
  const user = record.key?.length ? Buffer.from(record.key).toString() : past.origin.id;
  const error = `The registry knows no schema ${schemaId}`;
  const meaning = { kind: "retry", reason: "unknown_schema", error } as const;
  return { kind: "arrivals", arrivals: [{ record, user, type: "unknown", meaning, past, repairs: [] }] };
};

const messageIdOf = ({ messageId }: JsonObject): string | undefined =>
  typeof messageId === "string" && messageId !== "" ? messageId : undefined;

interface Read {
  readonly given: JsonObject;
  readonly unwrapped: readonly Repair[] | undefined;
}

/** What one event means. */
const createUnderstand =
  ({ handle, now = Date.now }: Pick<ReaderOptions, "handle" | "now">) =>
  (record: KafkaRecord, past: Past, { given, unwrapped }: Read): Arrival => {
    const { origin, firstFailedAt } = past;
    const standIns = { recordTime: origin.timestamp, firstFailedAt, now };
    const { raw, repairs } = normalEvent(given, standIns, unwrapped);
    const handled = handle(raw);
    // A record that belongs to nobody waits for nobody. Nor does one that can only become a dead letter, and nobody waits for it,
    // however long the limit of dead letters may hold it.
    const user = handled.meaning.kind === "dead" ? origin.id : (userOf(raw) ?? origin.id);
    return { record, user, messageId: messageIdOf(raw), ...handled, past, repairs };
  };

type ReadList = Pick<Extract<Decoded, { kind: "events" }>, "raws" | "repairs">;

/** The events of a list. From a tier comes only one of them: the others went their own ways. */
const createUnderstandList =
  (understand: ReturnType<typeof createUnderstand>) =>
  (record: KafkaRecord, past: Past, { raws, repairs: unwrapped }: ReadList): Reading => {
    const { index } = past.origin;
    if (raws.length === 0) return unread(record, past, skipped("tombstone"));
    if (index === undefined) {
      const pastIn = (place: number): Past => ({ ...past, origin: originInList(past.origin, place) });
      return {
        kind: "arrivals",
        arrivals: raws.map((given, place) => understand(record, pastIn(place), { given, unwrapped })),
      };
    }
    const given = raws[index];
    if (given) return { kind: "arrivals", arrivals: [understand(record, past, { given, unwrapped })] };
    const error = `Cannot find the event in its list: got ${headerNames.index} ${index}, want 0 to ${raws.length - 1}`;
    return unread(record, past, dead("undecodable", error));
  };

/** Turns messages into arrivals: bytes, then events, then what they mean. Never throws. */
export const createReader = ({ decoder, ...options }: ReaderOptions): Reader => {
  const understand = createUnderstand(options);
  const understandList = createUnderstandList(understand);
  return (message, { topic, partition, tier, topicId }) => {
    const record = recordOf(message);
    const here = originOf({ topic, partition, offset: message.offset, timestamp: record.timestamp, topicId });
    const past = pastOf(record, here, tier);
    const decoded = decoder.decode(message.value);
    switch (decoded.kind) {
      case "event":
        return {
          kind: "arrivals",
          arrivals: [understand(record, past, { given: decoded.raw, unwrapped: decoded.repairs })],
        };
      case "events":
        return understandList(record, past, decoded);
      case "tombstone":
        return unread(record, past, skipped("tombstone"));
      case "undecodable":
        return unread(record, past, dead("undecodable", decoded.error));
      case "unknown_schema":
        return unreadYet(record, past, decoded.schemaId);
      case "needs_schema":
        return decoded;
    }
  };
};
