import type { Json, JsonObject } from "./event.ts";
import { objectParts, somePart } from "./json-parts.ts";
import { isList } from "./json.ts";
import type { Repairs } from "./repairs.ts";

const isEmptyList = (part: Json | undefined): boolean => isList(part) && part.length === 0;

/** PHP writes an empty map as `[]`. A list with something in it stays: the rules for events refuse it. */
export const emptyListsAsObjects = (event: JsonObject, repairs: Repairs): JsonObject => {
  if (!somePart(event, isEmptyList)) return event;
  const out: Record<string, Json | undefined> = { ...event };
  for (const name of objectParts) if (isEmptyList(out[name])) out[name] = {};
  repairs.push("empty_list");
  return out;
};
