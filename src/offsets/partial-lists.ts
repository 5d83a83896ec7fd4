/**
 * The lists of events that are finished in part, as text behind the map of finished offsets: `;`, the offset less the mark in
 * base 36, `.`, and a bitset of the finished events in base64 (`;0.BQ==`: of the list at the mark, events 0 and 2).
 */

/** By offset: which events of a list are finished. */
export type PartialLists = ReadonlyMap<number, ReadonlySet<number>>;

const encodeBitset = (completedEvents: ReadonlySet<number>): string => {
  const bytes = new Uint8Array(Math.floor(Math.max(...completedEvents) / 8) + 1);
  for (const index of completedEvents) bytes[index >> 3] = (bytes[index >> 3] ?? 0) | (1 << (index & 7));
  return btoa(String.fromCodePoint(...bytes));
};

const decodeBitset = (text: string): Set<number> => {
  const completedEvents = new Set<number>();
  for (const [byteIndex, char] of Array.from(atob(text)).entries())
    for (let bit = 0; bit < 8; bit++)
      if ((char.codePointAt(0) ?? 0) & (1 << bit)) completedEvents.add(byteIndex * 8 + bit);
  return completedEvents;
};

/** Writes the lists in ascending order. What does not fit is left out from the end: those events would be done again. */
export const encodePartialLists = (commitOffset: number, partialLists: PartialLists, maxChars: number): string => {
  let text = "";
  for (const [offset, completedEvents] of partialLists) {
    const section = `;${(offset - commitOffset).toString(36)}.${encodeBitset(completedEvents)}`;
    if (text.length + section.length > maxChars) break;
    text += section;
  }
  return text;
};

/** Reads them back from a whole metadata; what is unreadable or foreign is left out. */
export const decodePartialLists = (commitOffset: number, metadata: string | null | undefined): PartialLists => {
  const partialLists = new Map<number, ReadonlySet<number>>();
  for (const section of (metadata ?? "").split(";").slice(1)) {
    const [, offset, bits = ""] =
      /^([0-9a-z]{1,8})\.((?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?)$/.exec(section) ?? [];
    if (offset !== undefined) partialLists.set(commitOffset + Number.parseInt(offset, 36), decodeBitset(bits));
  }
  return partialLists;
};
