import type { JsonObject } from "../json/json.ts";
import { editKeys } from "../json/property-paths.ts";
import { type Repairs, addRepair } from "./repairs.ts";

const idFieldNames = ["messageId", "userId", "anonymousId", "groupId", "previousId"] as const;

/**
 * The exact decimal text of a number; undefined for an integer beyond 2^53. Decoders return such integers as text, so a number
 * of that size was a float in the record. Its last digits are lost, and the ids of two users may have become equal.
 */
const exactTextOf = (id: number): string | undefined =>
  Number.isInteger(id) && !Number.isSafeInteger(id) ? undefined : String(id);

// Written out because a loop over the names takes several times as long.
const hasNumericId = ({ messageId, userId, anonymousId, groupId, previousId }: JsonObject): boolean =>
  typeof messageId === "number" ||
  typeof userId === "number" ||
  typeof anonymousId === "number" ||
  typeof groupId === "number" ||
  typeof previousId === "number";

/** Converts ids that are numbers to text. Other ids that are not text stay unchanged; `parseEvent` refuses them. */
export const stringifyIds = (event: JsonObject, repairs: Repairs): JsonObject => {
  if (!hasNumericId(event)) return event;
  const edited = editKeys(event, idFieldNames, (id) => (typeof id === "number" ? (exactTextOf(id) ?? id) : id));
  if (edited !== event) addRepair(repairs, "id_number");
  return edited;
};
