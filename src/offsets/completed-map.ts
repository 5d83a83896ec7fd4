/**
 * The map of what is finished beyond the committed mark, as text for the commit's metadata (≤ 4,000 characters).
 *
 * Form: `g1:` and lengths in base 36, alternating open and finished, starting at the mark with open ones:
 * `g1:3.2.1` = three open, two finished, one open (the last finished offset is mark + 4). Where runs are short and many,
 * `g2:` and a bitset in base64, bit n of byte n/8 = offset mark + n. The shorter of the two is written.
 */

/** Of a commit's metadata; Kafka allows 4,096 if its offset.metadata.max.bytes does not say otherwise. */
export const maxMetadataChars = 4_000;

/** More than this was never ours: a foreign text must neither fill the memory nor lead beyond what can be counted. */
const maxCompletedOffsets = 100_000;

/** Offsets that one map can always describe, whatever their pattern: the bits that fit into the metadata. */
export const maxInFlightWindow = 20_000;

const runLengthsOf = (commitOffset: number, completed: readonly number[]): number[] => {
  const runs: number[] = [];
  let nextOffset = commitOffset;
  for (const offset of completed) {
    if (offset === nextOffset && runs.length > 0) runs[runs.length - 1] = (runs.at(-1) ?? 0) + 1;
    else runs.push(offset - nextOffset, 1);
    nextOffset = offset + 1;
  }
  return runs;
};

const encodeRuns = (commitOffset: number, completed: readonly number[]): string =>
  `g1:${runLengthsOf(commitOffset, completed)
    .map((run) => run.toString(36))
    .join(".")}`;

const encodeBitset = (commitOffset: number, completed: readonly number[], limit: number): string | undefined => {
  const bitCount = (completed.at(-1) ?? commitOffset) - commitOffset + 1;
  if (bitCount > limit * 6) return undefined;
  const bytes = new Uint8Array(Math.ceil(bitCount / 8));
  for (const offset of completed) {
    const bit = offset - commitOffset;
    bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) | (1 << (bit & 7));
  }
  return `g2:${btoa(Array.from(bytes, (byte) => String.fromCodePoint(byte)).join(""))}`;
};

/**
 * Writes the finished offsets beyond the mark (ascending, all > mark). What does not fit into so many characters is left out
 * from the end: those offsets would be done again, never lost.
 */
export const encodeCompleted = (
  commitOffset: number,
  completed: readonly number[],
  limit = maxMetadataChars,
): string => {
  if (completed.length === 0) return "";
  const runs = encodeRuns(commitOffset, completed);
  const bits = runs.length > Math.min(200, limit) ? encodeBitset(commitOffset, completed, limit) : undefined;
  const text = bits !== undefined && bits.length < runs.length ? bits : runs;
  if (text.length <= limit) return text;
  return encodeCompleted(commitOffset, completed.slice(0, Math.floor(completed.length / 2)), limit);
};

const decodeRuns = (commitOffset: number, text: string): Set<number> | undefined => {
  const completed = new Set<number>();
  if (!/^[0-9a-z]+(\.[0-9a-z]+)*$/.test(text)) return undefined;
  const runs = text.split(".").map((run) => Number.parseInt(run, 36));
  let nextOffset = commitOffset;
  for (const [index, run] of runs.entries()) {
    const end = nextOffset + run;
    if (!Number.isSafeInteger(end) || (index % 2 === 1 && completed.size + run > maxCompletedOffsets)) return undefined;
    if (index % 2 === 1) for (; nextOffset < end; nextOffset++) completed.add(nextOffset);
    nextOffset = end;
  }
  return completed;
};

const decodeBitset = (commitOffset: number, text: string): Set<number> | undefined => {
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return undefined;
  const completed = new Set<number>();
  for (const [index, char] of Array.from(atob(text)).entries()) {
    const byte = char.codePointAt(0) ?? 0;
    for (let bit = 0; bit < 8; bit++) if (byte & (1 << bit)) completed.add(commitOffset + index * 8 + bit);
  }
  return completed;
};

/** Reads the map back. Unreadable or foreign text means an empty map: everything beyond the mark is done again. */
export const decodeCompleted = (commitOffset: number, metadata: string | null | undefined): ReadonlySet<number> => {
  const [text = ""] = (metadata ?? "").split(";", 1);
  const decode = { "g1:": decodeRuns, "g2:": decodeBitset }[text.slice(0, 3)];
  return decode?.(commitOffset, text.slice(3)) ?? new Set();
};
