import { parseOptionalText } from "../json/json-text.ts";
import { type Json, type JsonObject, isArray } from "../json/json.ts";
import { addRepair, type Repairs } from "./repairs.ts";

/** Parts that Segment defines as objects: if a producer writes a text there, it holds JSON. */
const objectPartNames = ["context", "integrations", "properties", "traits"] as const;

/** What the text holds, also if it was encoded more than once. A text that is no JSON stays: the rules for events judge it. */
const parseNestedText = (text: string): Json => {
  try {
    const value = parseOptionalText(text);
    // JSON text in JSON text: some write it twice.
    return typeof value === "string" && value !== text ? parseNestedText(value) : value;
  } catch {
    return text;
  }
};

const isEmptyList = (part: Json | undefined): boolean => isArray(part) && part.length === 0;

const needsRepair = (part: Json | undefined): boolean => typeof part === "string" || isEmptyList(part);

// Written out, since a loop over names takes several times as long.
const hasPartToRepair = ({ context, integrations, properties, traits }: JsonObject): boolean =>
  needsRepair(context) || needsRepair(integrations) || needsRepair(properties) || needsRepair(traits);

const parsePartText = (text: string, repairs: Repairs): Json | undefined => {
  const part = parseNestedText(text);
  if (part !== text) addRepair(repairs, "json_text");
  return part ?? undefined;
};

const toObjectPart = (original: Json | undefined, repairs: Repairs): Json | undefined => {
  const part = typeof original === "string" ? parsePartText(original, repairs) : original;
  if (!isEmptyList(part)) return part;
  addRepair(repairs, "empty_list");
  return {};
};

/**
 * Parses the parts that are JSON text; a blank text means that the part is absent. PHP writes an empty map as `[]`: that becomes
 * an empty object. A list with something in it stays: the rules for events refuse it.
 */
export const parseObjectParts = (event: JsonObject, repairs: Repairs): JsonObject => {
  if (!hasPartToRepair(event)) return event;
  const out: Record<string, Json | undefined> = { ...event };
  for (const name of objectPartNames) {
    const part = toObjectPart(out[name], repairs);
    if (part === undefined) delete out[name];
    else out[name] = part;
  }
  return out;
};
