/**
 * The map of what is finished beyond the committed mark, as text for the commit's metadata (≤ 4,000 characters).
 *
 * Form: `g1:` and lengths in base 36, alternating open and finished, starting at the mark with open ones:
 * `g1:3.2.1` = three open, two finished, one open (the last finished offset is mark + 4). Where runs are short and many,
 * `g2:` and a bitset in base64, bit n of byte n/8 = offset mark + n. The shorter of the two is written.
 */

/** Of a commit's metadata; Kafka allows 4,096 if its offset.metadata.max.bytes does not say otherwise. */
export const maxChars = 4_000;

/** More than this was never ours: a foreign text must neither fill the memory nor lead beyond what can be counted. */
const maxFinished = 100_000;

/** Offsets that one map can always describe, whatever their pattern: the bits that fit into the metadata. */
export const maxSpan = 20_000;

const runsOf = (mark: number, finished: readonly number[]): number[] => {
  const runs: number[] = [];
  let at = mark;
  for (const offset of finished) {
    if (offset === at && runs.length > 0) runs[runs.length - 1] = (runs.at(-1) ?? 0) + 1;
    else runs.push(offset - at, 1);
    at = offset + 1;
  }
  return runs;
};

const asRuns = (mark: number, finished: readonly number[]): string =>
  `g1:${runsOf(mark, finished)
    .map((run) => run.toString(36))
    .join(".")}`;

const asBits = (mark: number, finished: readonly number[], limit: number): string | undefined => {
  const span = (finished.at(-1) ?? mark) - mark + 1;
  if (span > limit * 6) return undefined;
  const bytes = new Uint8Array(Math.ceil(span / 8));
  for (const offset of finished) {
    const bit = offset - mark;
    bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) | (1 << (bit & 7));
  }
  return `g2:${btoa(Array.from(bytes, (byte) => String.fromCodePoint(byte)).join(""))}`;
};

/**
 * Writes the finished offsets beyond the mark (ascending, all > mark). What does not fit into so many characters is left out
 * from the end: those offsets would be done again, never lost.
 */
export const encodeFinished = (mark: number, finished: readonly number[], limit = maxChars): string => {
  if (finished.length === 0) return "";
  const runs = asRuns(mark, finished);
  const bits = runs.length > Math.min(200, limit) ? asBits(mark, finished, limit) : undefined;
  const text = bits !== undefined && bits.length < runs.length ? bits : runs;
  if (text.length <= limit) return text;
  return encodeFinished(mark, finished.slice(0, Math.floor(finished.length / 2)), limit);
};

const fromRuns = (mark: number, text: string): Set<number> | undefined => {
  const finished = new Set<number>();
  if (!/^[0-9a-z]+(\.[0-9a-z]+)*$/.test(text)) return undefined;
  const runs = text.split(".").map((run) => Number.parseInt(run, 36));
  let at = mark;
  for (const [index, run] of runs.entries()) {
    const end = at + run;
    if (!Number.isSafeInteger(end) || (index % 2 === 1 && finished.size + run > maxFinished)) return undefined;
    if (index % 2 === 1) for (; at < end; at++) finished.add(at);
    at = end;
  }
  return finished;
};

const fromBits = (mark: number, text: string): Set<number> | undefined => {
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return undefined;
  const finished = new Set<number>();
  for (const [index, char] of Array.from(atob(text)).entries()) {
    const byte = char.codePointAt(0) ?? 0;
    for (let bit = 0; bit < 8; bit++) if (byte & (1 << bit)) finished.add(mark + index * 8 + bit);
  }
  return finished;
};

/** Reads the map back. Unreadable or foreign text means an empty map: everything beyond the mark is done again. */
export const decodeFinished = (mark: number, metadata: string | null | undefined): ReadonlySet<number> => {
  const [text = ""] = (metadata ?? "").split(";", 1);
  const read = { "g1:": fromRuns, "g2:": fromBits }[text.slice(0, 3)];
  return read?.(mark, text.slice(3)) ?? new Set();
};
