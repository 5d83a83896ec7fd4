import type { Tap } from "./scalars.ts";

interface Known {
  readonly bytes: Uint8Array;
  readonly text: string;
}

const longest = 32;
const slots = 2_048;

const isSame = (known: Uint8Array, buf: Buffer, start: number): boolean => {
  for (let at = 0; at < known.length; at++) if (known[at] !== buf[start + at]) return false;
  return true;
};

const slotOf = (buf: Buffer, from: number, end: number): number => {
  let hash = end - from;
  for (let at = from; at < end; at++) hash = (hash * 31 + (buf[at] ?? 0)) | 0;
  return hash & (slots - 1);
};

const known: (Known | undefined)[] = Array.from({ length: slots });

/**
 * Reads the key of a map. The same few hundred names come again and again: looking one up by its bytes costs a fraction of
 * making a new string, and a string seen before is also quicker as a property's name. The table is of fixed size, and a
 * collision only means that the string is made anew.
 */
export const readKey = (tap: Tap): string => {
  const start = tap.pos;
  const length = tap.readLong();
  const from = tap.pos;
  const { buf } = tap;
  if (length < 0 || length > longest || from + length > buf.length) {
    tap.pos = start;
    return tap.readString() ?? "";
  }
  tap.pos = from + length;
  const slot = slotOf(buf, from, tap.pos);
  const entry = known[slot];
  if (entry?.bytes.length === length && isSame(entry.bytes, buf, from)) return entry.text;
  const text = buf.toString("utf8", from, tap.pos);
  known[slot] = { bytes: Uint8Array.prototype.slice.call(buf, from, tap.pos), text };
  return text;
};
