import type { Json, JsonObject } from "./event.ts";
import { putKey } from "./put-key.ts";

const camelNames: ReadonlyMap<string, string> = new Map([
  ["message_id", "messageId"],
  ["user_id", "userId"],
  ["anonymous_id", "anonymousId"],
  ["group_id", "groupId"],
  ["original_timestamp", "originalTimestamp"],
  ["sent_at", "sentAt"],
  ["received_at", "receivedAt"],
]);
const snakeNames = [...camelNames.keys()];

/** Gives the envelope's snake_case names their camelCase form. If both are there, camelCase wins. Never goes deeper. */
export const camelEnvelope = (event: JsonObject): JsonObject => {
  if (!snakeNames.some((name) => event[name] !== undefined)) return event;
  const out: Record<string, Json | undefined> = {};
  for (const [name, value] of Object.entries(event)) {
    const camel = camelNames.get(name);
    if (camel === undefined) putKey(out, name, value);
    else if (event[camel] === undefined) out[camel] = value;
  }
  return out;
};
