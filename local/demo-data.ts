import type { JsonObject } from "../src/core/json/json.ts";
import { createEvents } from "./events.ts";
import { poisonRecords, type PoisonRecord } from "./poison.ts";

/** What must happen to a record, known before the service reads it. */
type ExpectedOutcome =
  | { readonly kind: "deliver" }
  | { readonly kind: "skip"; readonly reason: "unsupported_event_type" | "filtered_by_allow_list" }
  | { readonly kind: "dead"; readonly reason: PoisonRecord["reason"] };

export interface DemoRecord {
  /** The messageId of an event; the key of a poison record. */
  readonly id: string;
  readonly key: string;
  /** An event that is not encoded yet, or the bytes of a poison record. */
  readonly content: JsonObject | Buffer;
  readonly expected: ExpectedOutcome;
}

export interface DemoData {
  readonly records: readonly DemoRecord[];
  readonly users: number;
  /** The user whose calls fail: a busy one, so that later events wait behind the failure. */
  readonly failingUser: string;
}

export interface DemoDataOptions {
  readonly events: number;
  readonly users: number;
  readonly poison: number;
  readonly seed: number;
  /** When the first event happens, in milliseconds since 1970. */
  readonly startAt: number;
}

/** The allow-list in the demo's settings. The generator also makes four other track events. */
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

/** How many users are busier than the failing user. */
const BUSIER_USERS = 30;

/** The demo's records: events in the order of their timestamps, with poison records spread evenly between them. */
export function createDemoData({ poison, ...options }: DemoDataOptions): DemoData {
  const events = [...createEvents({ ...options, count: options.events })].map(toRecord);
  const deliverable = events.filter(({ expected }) => expected.kind === "deliver").map(({ key }) => key);
  return {
    records: interleave(events, poisonRecords(poison).map(toPoison)),
    users: new Set(events.map(({ key }) => key)).size,
    failingUser: byFrequency(deliverable)[BUSIER_USERS] ?? deliverable[0] ?? "",
  };
}

function toRecord(event: JsonObject): DemoRecord {
  return {
    id: textOf(event, "messageId"),
    key: textOf(event, "userId"),
    content: event,
    expected: expectedOutcomeOf(event),
  };
}

function toPoison({ value, reason }: PoisonRecord, index: number): DemoRecord {
  const id = `poison-${index}`;
  return { id, key: id, content: value, expected: { kind: "dead", reason } };
}

function expectedOutcomeOf({ type, event }: JsonObject): ExpectedOutcome {
  if (type === "identify" || type === "group") return { kind: "deliver" };
  if (type !== "track") return { kind: "skip", reason: "unsupported_event_type" };
  if (ALLOWED_EVENTS.some((name) => name === event)) return { kind: "deliver" };
  return { kind: "skip", reason: "filtered_by_allow_list" };
}

function interleave(events: readonly DemoRecord[], poison: readonly DemoRecord[]): readonly DemoRecord[] {
  const share = Math.ceil(events.length / (poison.length || 1));
  const mixed = poison.flatMap((record, index) => [...events.slice(index * share, (index + 1) * share), record]);
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
