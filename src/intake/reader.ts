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

/** Reads a message of a source, or, with `isTier`, of a retry tier: there its headers tell of its past. */
export type Reader = (message: KafkaMessage, place: TopicPartition & { isTier: boolean }) => Reading;

const recordOf = ({ key, value, headers, timestamp }: KafkaMessage): KafkaRecord => ({
  key,
  value,
  headers: headers ?? {},
  timestamp: Number(timestamp),
});

const pastOf = (record: KafkaRecord, here: Origin, isTier: boolean): Past =>
  isTier ? readPast(record.headers, here) : { origin: here, attempts: 0, firstFailedAt: undefined };

type Understood = Pick<Arrival, "type" | "user" | "meaning">;

/** Turns messages into arrivals: bytes, then event, then what it means. Never throws. */
export const createReader = ({ decoder, handle }: ReaderOptions): Reader => {
  const understand = (raw: JsonObject, origin: Origin): Understood => {
    const event = parseEvent(raw);
    // A record that belongs to nobody waits for nobody.
    const user = userOf(raw) ?? origin.id;
    if ("kind" in event) return { type: "unknown", user, meaning: event };
    return { type: event.type, user, meaning: handle(event, origin.timestamp) };
  };
  return (message, { topic, partition, isTier }) => {
    const record = recordOf(message);
    const here = originOf({ topic, partition, offset: message.offset, timestamp: record.timestamp });
    const past = pastOf(record, here, isTier);
    const unread = (meaning: Arrival["meaning"]): Reading => ({
      kind: "arrival",
      arrival: { record, past, type: "unknown", user: past.origin.id, meaning },
    });
    const decoded = decoder.decode(message.value);
    switch (decoded.kind) {
      case "event":
        return { kind: "arrival", arrival: { record, past, ...understand(decoded.raw, past.origin) } };
      case "tombstone":
        return unread(skipped("tombstone"));
      case "undecodable":
        return unread(dead("undecodable", decoded.error));
      case "unknown_schema":
        return unread({
          kind: "retry",
          reason: "unknown_schema",
          error: `The registry knows no schema ${decoded.schemaId}`,
        });
      case "needs_schema":
        return decoded;
    }
  };
};
