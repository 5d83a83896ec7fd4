import type { Json, JsonObject } from "./event.ts";
import { parseOptionalText } from "./json-text.ts";
import type { Repairs } from "./repairs.ts";

/** Parts that Segment defines as objects: if a producer writes a text there, it holds JSON. */
const objectParts = ["context", "integrations", "properties", "traits"] as const;

/** A text that is no JSON stays a text: the rules for events judge it. */
const parsed = (text: string): Json => {
  try {
    const value = parseOptionalText(text);
    // JSON text in JSON text: some write it twice.
    return typeof value === "string" && value !== text ? parsed(value) : value;
  } catch {
    return text;
  }
};

/** Parses the parts that are JSON text. A blank text means that the part is absent. */
export const parseParts = (event: JsonObject, repairs: Repairs): JsonObject => {
  if (!objectParts.some((name) => typeof event[name] === "string")) return event;
  const out: Record<string, Json | undefined> = { ...event };
  for (const name of objectParts) {
    const text = out[name];
    if (typeof text !== "string") continue;
    out[name] = parsed(text);
    if (out[name] === null) delete out[name];
  }
  repairs.push("json_text");
  return out;
};
