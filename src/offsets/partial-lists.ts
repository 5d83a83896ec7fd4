import { decodeBitset, encodeBitset } from "./bitset.ts";

/**
 * A record can hold a list of events. Partial lists say which events of such a record are completed while others are open.
 * They are written as text behind the completed map in the metadata of a commit. Each list is `;`, its offset minus the
 * committed offset in base 36, `.`, and a bitset in base64: `;0.BQ==` = events 0 and 2 of the list at the committed offset.
 */

/** The indexes of the completed events of each list, by its offset. */
export type PartialLists = ReadonlyMap<number, ReadonlySet<number>>;

/** Writes the lists in the order of the map. If they do not fit into `maxChars`, it leaves out lists from the end: their events are processed again. */
export const encodePartialLists = (commitOffset: number, partialLists: PartialLists, maxChars: number): string => {
  let text = "";
  for (const [offset, completedEvents] of partialLists) {
    const bits = encodeBitset(completedEvents, Math.max(...completedEvents));
    const section = `;${(offset - commitOffset).toString(36)}.${bits}`;
    if (text.length + section.length > maxChars) break;
    text += section;
  }
  return text;
};

/** Reads the lists from a commit's metadata. It leaves out what is not ours. */
export const decodePartialLists = (commitOffset: number, metadata: string | null | undefined): PartialLists => {
  const partialLists = new Map<number, ReadonlySet<number>>();
  for (const section of (metadata ?? "").split(";").slice(1)) {
    const [, offset, text = ""] = /^([0-9a-z]{1,8})\.(.*)$/.exec(section) ?? [];
    const completedEvents = decodeBitset(text);
    if (offset !== undefined && completedEvents)
      partialLists.set(commitOffset + Number.parseInt(offset, 36), new Set(completedEvents));
  }
  return partialLists;
};
