import { decodeBitset, encodeBitset } from "./bitset.ts";

/**
 * The completed map says which offsets beyond the committed offset are completed. It is written as text into the metadata of
 * a commit, so that the next owner of the partition does not process them again.
 *
 * It has two forms; the shorter one is written:
 * - `g1:` and the lengths of runs in base 36: first of open offsets, then of completed ones, and so on by turns. The first run starts
 *   at the committed offset. `g1:3.2.1.1` = three open, two completed, one open, one completed.
 * - `g2:` and a bitset in base64: bit n is set if committed offset + n is completed.
 */

/** The completed offsets beyond the committed offset. */
export type CompletedMap = ReadonlySet<number>;

/**
 * The length of a commit's metadata. Kafka allows 4,096 bytes by default (`offset.metadata.max.bytes`,
 * https://kafka.apache.org/documentation/#brokerconfigs_offset.metadata.max.bytes).
 */
export const maxMetadataChars = 4_000;

/** We never write more. A text of somebody else must neither fill the memory nor lead beyond the safe integers. */
const maxCompletedOffsets = 100_000;

/** One map can describe that many offsets, whatever their pattern: 6 bits fit into each character of the metadata. */
export const maxInFlightWindow = 20_000;

/** A list of runs that is this short is seldom longer than the bitset. */
const maxCharsWithoutBitset = 200;

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

const encodeBits = (commitOffset: number, completed: readonly number[], maxChars: number): string | undefined => {
  const max = (completed.at(-1) ?? commitOffset) - commitOffset;
  if (max >= maxChars * 6) return undefined;
  const bits = completed.map((offset) => offset - commitOffset);
  return `g2:${encodeBitset(bits, max)}`;
};

/**
 * Writes the completed offsets (ascending, none below `commitOffset`). If they do not fit into `maxChars`, it leaves out offsets
 * from the end: the next owner processes those again, none is lost.
 */
export const encodeCompleted = (
  commitOffset: number,
  completed: readonly number[],
  maxChars = maxMetadataChars,
): string => {
  if (completed.length === 0) return "";
  const runs = encodeRuns(commitOffset, completed);
  const needsBits = runs.length > Math.min(maxCharsWithoutBitset, maxChars);
  const bits = needsBits ? encodeBits(commitOffset, completed, maxChars) : undefined;
  const text = bits !== undefined && bits.length < runs.length ? bits : runs;
  if (text.length <= maxChars) return text;
  return encodeCompleted(commitOffset, completed.slice(0, Math.floor(completed.length / 2)), maxChars);
};

const decodeRuns = (commitOffset: number, text: string): CompletedMap | undefined => {
  const completed = new Set<number>();
  if (!/^[0-9a-z]+(\.[0-9a-z]+)*$/.test(text)) return undefined;
  const runs = text.split(".").map((run) => Number.parseInt(run, 36));
  let nextOffset = commitOffset;
  for (const [index, run] of runs.entries()) {
    const end = nextOffset + run;
    const isCompleted = index % 2 === 1;
    if (!Number.isSafeInteger(end) || (isCompleted && completed.size + run > maxCompletedOffsets)) return undefined;
    if (isCompleted) for (; nextOffset < end; nextOffset++) completed.add(nextOffset);
    nextOffset = end;
  }
  return completed;
};

const decodeBits = (commitOffset: number, text: string): CompletedMap | undefined => {
  const bits = decodeBitset(text);
  return bits && new Set(bits.map((bit) => commitOffset + bit));
};

/** Reads the map from a commit's metadata. It is empty if the text is not ours: all offsets are processed again. */
export const decodeCompleted = (commitOffset: number, metadata: string | null | undefined): CompletedMap => {
  const [text = ""] = (metadata ?? "").split(";", 1);
  const decode = { "g1:": decodeRuns, "g2:": decodeBits }[text.slice(0, 3)];
  return decode?.(commitOffset, text.slice(3)) ?? new Set();
};
