import { parseNestedText } from "../json/json-text.ts";
import { type Json, type JsonObject, isArray } from "../json/json.ts";
import { addRepair, type Repairs } from "./repairs.ts";

/** The fields that Segment defines as objects. A text in one of them is JSON text. */
const objectPartNames = ["context", "integrations", "properties", "traits"] as const;

const isEmptyList = (part: Json | undefined): boolean => isArray(part) && part.length === 0;

const needsRepair = (part: Json | undefined): boolean => typeof part === "string" || isEmptyList(part);

// Written out because a loop over the names takes several times as long.
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
 * Parses `context`, `integrations`, `properties` and `traits` that are JSON text. Blank text removes the field. An empty list becomes
 * an empty object, because PHP writes an empty map as `[]`. Any other list or text stays unchanged; `validateEvent` refuses it in
 * `traits` and `properties`.
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
