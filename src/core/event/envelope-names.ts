import { type Json, type JsonObject, isAbsent } from "../json/json.ts";
import { putKey } from "../json/put-key.ts";

/** What the snake_case names of the envelope become. */
export const camelNames: ReadonlyMap<string, string> = new Map([
  ["message_id", "messageId"],
  ["user_id", "userId"],
  ["anonymous_id", "anonymousId"],
  ["group_id", "groupId"],
  ["original_timestamp", "originalTimestamp"],
  ["sent_at", "sentAt"],
  ["received_at", "receivedAt"],
]);

// Written out, since a loop over names takes several times as long.
const hasSnake = (event: JsonObject): boolean =>
  event["message_id"] !== undefined ||
  event["user_id"] !== undefined ||
  event["anonymous_id"] !== undefined ||
  event["group_id"] !== undefined ||
  event["original_timestamp"] !== undefined ||
  event["sent_at"] !== undefined ||
  event["received_at"] !== undefined;

/** Gives the envelope's snake_case names their camelCase form. If both say something, camelCase wins. Never goes deeper. */
export const camelEnvelope = (event: JsonObject): JsonObject => {
  if (!hasSnake(event)) return event;
  const out: Record<string, Json | undefined> = {};
  for (const [name, value] of Object.entries(event)) if (!camelNames.has(name)) putKey(out, name, value);
  for (const [name, camel] of camelNames) {
    const value = event[name];
    if (value !== undefined && isAbsent(out[camel])) out[camel] = value;
  }
  return out;
};
