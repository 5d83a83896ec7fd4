import type { Json } from "../src/core/json/json.ts";
import { frame } from "../src/decoding/frame.ts";

/** A record value that can never be delivered, and its expected dead-letter reason. */
export interface PoisonRecord {
  readonly name: string;
  readonly value: Buffer;
  readonly reason: "undecodable" | "unknown_schema" | "invalid_event";
}

const json = (value: Json): Buffer => Buffer.from(JSON.stringify(value));

const KINDS: readonly ((index: number) => PoisonRecord)[] = [
  (index) => ({
    name: "a header that ends too early",
    value: Buffer.from([0, 0, 0, index & 0xff]),
    reason: "undecodable",
  }),
  (index) => ({
    name: "random bytes",
    value: Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff, index & 0x7f]),
    reason: "undecodable",
  }),
  (index) => ({
    name: "an unknown schema",
    value: frame(2 ** 31 - 1, Buffer.from([index & 0x7f])),
    reason: "unknown_schema",
  }),
  (index) => ({
    name: "JSON cut short",
    value: Buffer.from(`{"type":"track","userId":"poison-${index}"`),
    reason: "undecodable",
  }),
  (index) => ({
    name: "a track without event",
    value: json({ type: "track", userId: `poison-${index}` }),
    reason: "invalid_event",
  }),
  (index) => ({
    name: "an event without a user",
    value: json({ type: "identify", messageId: `poison-${index}` }),
    reason: "invalid_event",
  }),
];

/** `count` poison records, of every kind in turn. */
export function poisonRecords(count: number): readonly PoisonRecord[] {
  return Array.from({ length: count }, (_unused, index) => KINDS[index % KINDS.length]?.(index)).filter(
    (record) => record !== undefined,
  );
}
