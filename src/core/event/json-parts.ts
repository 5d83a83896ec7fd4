import { parseOptionalText } from "../json/json-text.ts";
import { type Json, type JsonObject, isList } from "../json/json.ts";
import { note, type Repairs } from "./repairs.ts";

/** Parts that Segment defines as objects: if a producer writes a text there, it holds JSON. */
const objectParts = ["context", "integrations", "properties", "traits"] as const;

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

const isEmptyList = (part: Json | undefined): boolean => isList(part) && part.length === 0;

const isToRepair = (part: Json | undefined): boolean => typeof part === "string" || isEmptyList(part);

// Written out, since a loop over names takes several times as long.
const hasToRepair = ({ context, integrations, properties, traits }: JsonObject): boolean =>
  isToRepair(context) || isToRepair(integrations) || isToRepair(properties) || isToRepair(traits);

const fromText = (text: string, repairs: Repairs): Json | undefined => {
  const part = parsed(text);
  if (part !== text) note(repairs, "json_text");
  return part ?? undefined;
};

const objectOf = (given: Json | undefined, repairs: Repairs): Json | undefined => {
  const part = typeof given === "string" ? fromText(given, repairs) : given;
  if (!isEmptyList(part)) return part;
  note(repairs, "empty_list");
  return {};
};

/**
 * Parses the parts that are JSON text; a blank text means that the part is absent. PHP writes an empty map as `[]`: that becomes
 * an empty object. A list with something in it stays: the rules for events refuse it.
 */
export const partsAsObjects = (event: JsonObject, repairs: Repairs): JsonObject => {
  if (!hasToRepair(event)) return event;
  const out: Record<string, Json | undefined> = { ...event };
  for (const name of objectParts) {
    const part = objectOf(out[name], repairs);
    if (part === undefined) delete out[name];
    else out[name] = part;
  }
  return out;
};
