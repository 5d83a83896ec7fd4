import type { Json, JsonObject } from "../core/event.ts";
import { parseOptionalText } from "./decode-json.ts";

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

/** Parts that Segment defines as objects: where a producer writes a text there, it holds JSON. */
const OBJECT_PARTS = ["context", "integrations", "properties", "traits"];

type ReadText = (text: string) => Json;

/** An event in its normal form: a camelCase envelope, and no part of it as JSON text. Throws if such a text is no JSON. */
export const normalEvent = (event: JsonObject): JsonObject => normalised(event, parseOptionalText);

/** The same where no schema says that a text is JSON: one that is none stays a text, and its event alone is judged for it. */
export const normalJsonEvent = (event: JsonObject): JsonObject => normalised(event, parseIfJson);

const parseIfJson: ReadText = (text) => {
  try {
    return parseOptionalText(text);
  } catch {
    return text;
  }
};

function normalised(event: JsonObject, readText: ReadText): JsonObject {
  const hasText = OBJECT_PARTS.some((name) => typeof event[name] === "string");
  return camelEnvelope(hasText ? parseParts(event, readText) : event);
}

function parseParts(event: JsonObject, readText: ReadText): JsonObject {
  const out: Record<string, Json | undefined> = { ...event };
  for (const name of OBJECT_PARTS) {
    const text = out[name];
    if (typeof text !== "string") continue;
    out[name] = readText(text);
    if (out[name] === null) delete out[name];
  }
  return out;
}

/** Gives the envelope's snake_case names their camelCase form; where both are there, camelCase wins. Never goes deeper. */
function camelEnvelope(event: JsonObject): JsonObject {
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
