import type { Tap } from "./scalars.ts";

interface CachedKey {
  readonly bytes: Uint8Array;
  readonly text: string;
}

const maxKeyBytes = 32;
const cacheSize = 2_048;

const hasSameBytes = (cachedBytes: Uint8Array, buf: Buffer, start: number): boolean => {
  for (let at = 0; at < cachedBytes.length; at++) if (cachedBytes[at] !== buf[start + at]) return false;
  return true;
};

const cacheIndexOf = (buf: Buffer, keyStart: number, end: number): number => {
  let hash = end - keyStart;
  for (let at = keyStart; at < end; at++) hash = (hash * 31 + (buf[at] ?? 0)) | 0;
  return hash & (cacheSize - 1);
};

const keyCache: (CachedKey | undefined)[] = Array.from({ length: cacheSize });

/**
 * Reads the key of a map. Events repeat the same few hundred keys: looking a key up by its bytes costs a fraction of decoding a new
 * string, and a known string is also faster as a property name. The cache has a fixed size; a collision only means that the string is
 * decoded anew.
 */
export const readMapKey = (tap: Tap): string => {
  const start = tap.pos;
  const length = tap.readLong();
  const keyStart = tap.pos;
  const { buf } = tap;
  if (length < 0 || length > maxKeyBytes || keyStart + length > buf.length) {
    tap.pos = start;
    return tap.readString() ?? "";
  }
  tap.pos = keyStart + length;
  const index = cacheIndexOf(buf, keyStart, tap.pos);
  const cachedKey = keyCache[index];
  if (cachedKey?.bytes.length === length && hasSameBytes(cachedKey.bytes, buf, keyStart)) return cachedKey.text;
  const text = buf.toString("utf8", keyStart, tap.pos);
  keyCache[index] = { bytes: Uint8Array.prototype.slice.call(buf, keyStart, tap.pos), text };
  return text;
};
