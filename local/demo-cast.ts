import type { JsonObject } from "../src/core/json/json.ts";
import { createEvents } from "./events.ts";
import { poisonRecords, type PoisonRecord } from "./poison.ts";

/** What has to become of a record, known before the service has seen it. */
type Fate =
  | { readonly kind: "deliver" }
  | { readonly kind: "skip"; readonly reason: "unsupported_event_type" | "filtered_by_allow_list" }
  | { readonly kind: "dead"; readonly reason: PoisonRecord["reason"] };

export interface CastRecord {
  /** The event's messageId; for poison, its key. */
  readonly id: string;
  readonly key: string;
  /** An event still to be encoded, or the bytes of a poison record. */
  readonly content: JsonObject | Buffer;
  readonly fate: Fate;
}

export interface Cast {
  readonly records: readonly CastRecord[];
  readonly users: number;
  /** A busy user, so that there is something to wait behind a failure. */
  readonly unlucky: string;
}

export interface CastOptions {
  readonly events: number;
  readonly users: number;
  readonly poison: number;
  readonly seed: number;
  /** When the first event happens, in milliseconds since 1970. */
  readonly startAt: number;
}

/** The track events that the demo's settings let through; the generator makes four more names. */
export const ALLOWED_EVENTS = [
  "Order Completed",
  "Product Added",
  "Feature Used",
  "Feature Enabled",
  "Report Exported",
  "Invitation Sent",
  "Subscription Upgraded",
  "Survey Answered",
] as const;

/** How many users are busier than the unlucky one. */
const BUSIER = 30;

/** Who and what is in the show: events in the order of their timestamps, with poison spread evenly between them. */
export function createCast({ poison, ...options }: CastOptions): Cast {
  const events = [...createEvents({ ...options, count: options.events })].map(toRecord);
  const deliverable = events.filter(({ fate }) => fate.kind === "deliver").map(({ key }) => key);
  return {
    records: mixIn(events, poisonRecords(poison).map(toPoison)),
    users: new Set(events.map(({ key }) => key)).size,
    unlucky: byFrequency(deliverable)[BUSIER] ?? deliverable[0] ?? "",
  };
}

function toRecord(event: JsonObject): CastRecord {
  return { id: textOf(event, "messageId"), key: textOf(event, "userId"), content: event, fate: fateOf(event) };
}

function toPoison({ value, reason }: PoisonRecord, index: number): CastRecord {
  const id = `poison-${index}`;
  return { id, key: id, content: value, fate: { kind: "dead", reason } };
}

function fateOf({ type, event }: JsonObject): Fate {
  if (type === "identify" || type === "group") return { kind: "deliver" };
  if (type !== "track") return { kind: "skip", reason: "unsupported_event_type" };
  if (ALLOWED_EVENTS.some((name) => name === event)) return { kind: "deliver" };
  return { kind: "skip", reason: "filtered_by_allow_list" };
}

function mixIn(events: readonly CastRecord[], poison: readonly CastRecord[]): readonly CastRecord[] {
  const share = Math.ceil(events.length / (poison.length || 1));
  const mixed = poison.flatMap((one, index) => [...events.slice(index * share, (index + 1) * share), one]);
  return [...mixed, ...events.slice(poison.length * share)];
}

function byFrequency(keys: readonly string[]): readonly string[] {
  const counts = new Map<string, number>();
  for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1);
  return [...counts].sort(([, a], [, b]) => b - a).map(([key]) => key);
}

function textOf(event: JsonObject, name: string): string {
  const value = event[name];
  if (typeof value !== "string") throw new Error(`Cannot use an event of the demo: got no '${name}', want text`);
  return value;
}
