/**
 * The lists of events that are finished in part, as text behind the map of finished offsets: `;`, the offset less the mark in
 * base 36, `.`, and a bitset of the finished events in base64 (`;0.BQ==`: of the list at the mark, events 0 and 2).
 */

/** By offset: which events of a list are finished. */
export type Started = ReadonlyMap<number, ReadonlySet<number>>;

const bitsOf = (done: ReadonlySet<number>): string => {
  const bytes = new Uint8Array(Math.floor(Math.max(...done) / 8) + 1);
  for (const index of done) bytes[index >> 3] = (bytes[index >> 3] ?? 0) | (1 << (index & 7));
  return btoa(String.fromCodePoint(...bytes));
};

const fromBits = (text: string): Set<number> => {
  const done = new Set<number>();
  for (const [place, char] of Array.from(atob(text)).entries())
    for (let bit = 0; bit < 8; bit++) if ((char.codePointAt(0) ?? 0) & (1 << bit)) done.add(place * 8 + bit);
  return done;
};

/** Writes the lists in ascending order. What does not fit is left out from the end: those events would be done again. */
export const encodeStarted = (mark: number, started: Started, maxChars: number): string => {
  let text = "";
  for (const [offset, done] of started) {
    const entry = `;${(offset - mark).toString(36)}.${bitsOf(done)}`;
    if (text.length + entry.length > maxChars) break;
    text += entry;
  }
  return text;
};

/** Reads them back from a whole metadata; what is unreadable or foreign is left out. */
export const decodeStarted = (mark: number, metadata: string | null | undefined): Started => {
  const started = new Map<number, ReadonlySet<number>>();
  for (const entry of (metadata ?? "").split(";").slice(1)) {
    const [, offset, bits = ""] =
      /^([0-9a-z]{1,8})\.((?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?)$/.exec(entry) ?? [];
    if (offset !== undefined) started.set(mark + Number.parseInt(offset, 36), fromBits(bits));
  }
  return started;
};
