import type { Json, JsonObject } from "../core/event.ts";

const CAMEL_NAMES: ReadonlyMap<string, string> = new Map([
  ["message_id", "messageId"],
  ["user_id", "userId"],
  ["anonymous_id", "anonymousId"],
  ["group_id", "groupId"],
  ["original_timestamp", "originalTimestamp"],
  ["sent_at", "sentAt"],
  ["received_at", "receivedAt"],
]);
const SNAKE_NAMES = [...CAMEL_NAMES.keys()];

/** Gives the envelope's snake_case names their camelCase form; where both are there, camelCase wins. Never goes deeper. */
export function camelEnvelope(event: JsonObject): JsonObject {
  if (!SNAKE_NAMES.some((name) => event[name] !== undefined)) return event;
  const out: Record<string, Json | undefined> = {};
  for (const [name, value] of Object.entries(event)) {
    const camel = CAMEL_NAMES.get(name);
    if (camel === undefined) putKey(out, name, value);
    else if (event[camel] === undefined) out[camel] = value;
  }
  return out;
}

/** Sets an own property whatever its name: assigning to `__proto__` would change the prototype and lose the value. */
export function putKey(target: Record<string, Json | undefined>, key: string, value: Json | undefined): void {
  if (key === "__proto__") {
    Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
  } else {
    target[key] = value;
  }
}
