/**
 * A set of small numbers as text: a bitset in base64. Number n is bit n % 8 of byte n / 8, the lowest bit first:
 * `BQ==` is the set of 0 and 2.
 */

/** Writes numbers from 0 to `max`. */
export const encodeBitset = (numbers: Iterable<number>, max: number): string => {
  const bytes = new Uint8Array(Math.floor(max / 8) + 1);
  for (const number of numbers) bytes[number >> 3] = (bytes[number >> 3] ?? 0) | (1 << (number & 7));
  return Buffer.from(bytes.buffer).toString("base64");
};

/** Reads the numbers in ascending order; undefined if the text is not base64 with its padding. */
export const decodeBitset = (text: string): number[] | undefined => {
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return undefined;
  const numbers: number[] = [];
  for (const [index, byte] of Buffer.from(text, "base64").entries())
    for (let bit = 0; bit < 8; bit++) if (byte & (1 << bit)) numbers.push(index * 8 + bit);
  return numbers;
};
