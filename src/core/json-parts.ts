import type { Json, JsonObject } from "./event.ts";
import { parseOptionalText } from "./json-text.ts";
import type { Repairs } from "./repairs.ts";

/** Parts that Segment defines as objects: if a producer writes a text there, it holds JSON. */
export const objectParts = ["context", "integrations", "properties", "traits"] as const;

/** What the text holds, also if it was encoded more than once. A text that is no JSON stays: the rules for events judge it. */
const parsed = (text: string): Json => {
  try {
    const value = parseOptionalText(text);
    // JSON text in JSON text: some write it twice.
    return typeof value === "string" && value !== text ? parsed(value) : value;
  } catch {
    return text;
  }
};

/** Whether one of the parts is of some kind. Written out, since a loop over names takes several times as long. */
export const somePart = (event: JsonObject, isKind: (part: Json | undefined) => boolean): boolean => {
  const { context, integrations, properties, traits } = event;
  return isKind(context) || isKind(integrations) || isKind(properties) || isKind(traits);
};

const isText = (part: Json | undefined): boolean => typeof part === "string";

/** Parses the parts that are JSON text. A blank text means that the part is absent. */
export const parseParts = (event: JsonObject, repairs: Repairs): JsonObject => {
  if (!somePart(event, isText)) return event;
  const out: Record<string, Json | undefined> = { ...event };
  let isParsed = false;
  for (const name of objectParts) {
    const text = out[name];
    if (typeof text !== "string") continue;
    out[name] = parsed(text);
    if (out[name] !== text) isParsed = true;
    if (out[name] === null) delete out[name];
  }
  if (!isParsed) return event;
  repairs.push("json_text");
  return out;
};
