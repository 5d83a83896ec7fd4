import type { JsonObject } from "../json/json.ts";
import { editKeys } from "../json/property-paths.ts";
import type { Repairs } from "./repairs.ts";

const idNames = ["messageId", "userId", "anonymousId", "groupId", "previousId"] as const;

/**
 * The exact text of a number: 1e3 and 1000.0 are 1000. Decoders give integers beyond 2^53 as text already. One that comes
 * here all the same was a float: its last digits are lost, and the ids of two users may have become one.
 */
const textOf = (id: number): string | undefined =>
  Number.isInteger(id) && !Number.isSafeInteger(id) ? undefined : String(id);

// Written out, since a loop over names takes several times as long.
const hasNumber = ({ messageId, userId, anonymousId, groupId, previousId }: JsonObject): boolean =>
  typeof messageId === "number" ||
  typeof userId === "number" ||
  typeof anonymousId === "number" ||
  typeof groupId === "number" ||
  typeof previousId === "number";

/** Writes ids that are numbers as text. Any other kind of id stays: the rules for events refuse it. */
export const idsAsText = (event: JsonObject, repairs: Repairs): JsonObject => {
  if (!hasNumber(event)) return event;
  const edited = editKeys(event, idNames, (id) => (typeof id === "number" ? (textOf(id) ?? id) : id));
  if (edited !== event) repairs.push("id_number");
  return edited;
};
