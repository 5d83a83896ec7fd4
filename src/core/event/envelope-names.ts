import { type Json, type JsonObject, isBlank } from "../json/json.ts";
import { putKey } from "../json/put-key.ts";

/** The camelCase name of each snake_case name of the envelope. */
export const camelCaseNames: ReadonlyMap<string, string> = new Map([
  ["message_id", "messageId"],
  ["user_id", "userId"],
  ["anonymous_id", "anonymousId"],
  ["group_id", "groupId"],
  ["original_timestamp", "originalTimestamp"],
  ["sent_at", "sentAt"],
  ["received_at", "receivedAt"],
]);

// Written out because a loop over the names takes several times as long.
const hasSnakeCaseName = (event: JsonObject): boolean =>
  event["message_id"] !== undefined ||
  event["user_id"] !== undefined ||
  event["anonymous_id"] !== undefined ||
  event["group_id"] !== undefined ||
  event["original_timestamp"] !== undefined ||
  event["sent_at"] !== undefined ||
  event["received_at"] !== undefined;

/** Renames the envelope's snake_case names to camelCase. If both names have a value, the camelCase one wins. Nested names stay. */
export const normaliseEnvelopeNames = (event: JsonObject): JsonObject => {
  if (!hasSnakeCaseName(event)) return event;
  const out: Record<string, Json | undefined> = {};
  for (const [name, value] of Object.entries(event)) if (!camelCaseNames.has(name)) putKey(out, name, value);
  for (const [name, camelCaseName] of camelCaseNames) {
    const value = event[name];
    if (value !== undefined && isBlank(out[camelCaseName])) out[camelCaseName] = value;
  }
  return out;
};
