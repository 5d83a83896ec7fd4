import type { KafkaMessage } from "kafkajs";

import type { Arrival, KafkaRecord } from "../core/arrival.ts";
import type { JsonObject } from "../core/event.ts";
import type { Handler } from "../core/handle.ts";
import { type Origin, type Past, originOf, readPast } from "../core/headers.ts";
import { dead, skipped } from "../core/outcome.ts";
import { parseEvent, userOf } from "../core/validate.ts";
import type { TopicPartition } from "./consumer.ts";
import type { Decoder } from "./decode.ts";

export interface ReaderOptions {
  readonly decoder: Pick<Decoder, "decode">;
  readonly handle: Handler;
}

/** A record understood, or the schema that has to be fetched first. */
export type Reading =
  | { readonly kind: "arrival"; readonly arrival: Arrival }
  | { readonly kind: "needs_schema"; readonly schemaId: number };

/** Reads a message of a source, or of the retry tier of this number: there its headers tell of its past. */
export type Reader = (message: KafkaMessage, place: TopicPartition & { tier: number | undefined }) => Reading;

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
  kind: "arrival",
  arrival: { record, user: past.origin.id, type: "unknown", meaning, past },
});

/** Turns messages into arrivals: bytes, then event, then what it means. Never throws. */
export const createReader = ({ decoder, handle }: ReaderOptions): Reader => {
  const understand = (record: KafkaRecord, past: Past, raw: JsonObject): Arrival => {
    const event = parseEvent(raw);
    // A record that belongs to nobody waits for nobody.
    const user = userOf(raw) ?? past.origin.id;
    if ("kind" in event) return { record, user, type: "unknown", meaning: event, past };
    return { record, user, type: event.type, meaning: handle(event, past.origin.timestamp), past };
  };
  return (message, { topic, partition, tier }) => {
    const record = recordOf(message);
    const here = originOf({ topic, partition, offset: message.offset, timestamp: record.timestamp });
    const past = pastOf(record, here, tier);
    const decoded = decoder.decode(message.value);
    switch (decoded.kind) {
      case "event":
        return { kind: "arrival", arrival: understand(record, past, decoded.raw) };
      case "tombstone":
        return unread(record, past, skipped("tombstone"));
      case "undecodable":
        return unread(record, past, dead("undecodable", decoded.error));
      case "unknown_schema": {
        const error = `The registry knows no schema ${decoded.schemaId}`;
        return unread(record, past, { kind: "retry", reason: "unknown_schema", error });
      }
      case "needs_schema":
        return decoded;
    }
  };
};
