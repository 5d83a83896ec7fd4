import { constants, createReadStream } from "node:fs";
import { access, stat } from "node:fs/promises";

import type { Json } from "../core/json/json.ts";
import { readJson } from "../decoding/json.ts";

/** The bytes to read events from; gives them anew at every call. */
export type Input = () => AsyncIterable<Buffer>;

export interface Source {
  /** For people: the file's name. */
  readonly name: string;
  readonly input: Input;
}

/** One event's JSON, and where it stood, such as `line 3`. */
export interface Piece {
  readonly place: string;
  readonly bytes: Buffer;
}

const mebibyte = 1024 * 1024;
const maxLineBytes = 16 * mebibyte;
/** What can be read only once, or only as a whole, is kept in memory. */
const maxKeptBytes = 64 * mebibyte;
const lineFeed = 0x0a;

/** Opens files, in their order. */
export const openSources = async (files: readonly string[]): Promise<Source[]> => {
  const sources: Source[] = [];
  for (const file of files)
    sources.push({ name: file === "-" ? "standard input" : file, input: await openInput(file) });
  return sources;
};

/** Opens a file, or standard input for `-`. Throws a sentence where it cannot be read. */
export const openInput = async (file: string): Promise<Input> => {
  try {
    if (file === "-") return textInput(await collect(process.stdin));
    await access(file, constants.R_OK);
    if ((await stat(file)).isFile()) return () => createReadStream(file);
    return textInput(await collect(createReadStream(file)));
  } catch (error) {
    if (error instanceof TooLong) throw error;
    throw new Error(`Cannot read the events: got '${file}', want a file that can be read, or - for standard input`, {
      cause: error,
    });
  }
};

/** Input that is there already. */
export const textInput = (text: string | Buffer): Input =>
  async function* chunks() {
    yield Buffer.from(text);
  };

/** The events of JSON lines, of a JSON array, or of one object that is spread over several lines; empty lines do not count. */
export async function* piecesOf(input: Input): AsyncGenerator<Piece> {
  let number = 0;
  let isFirst = true;
  for await (const bytes of linesOf(input())) {
    number += 1;
    if (isBlank(bytes)) continue;
    if (isFirst && isDocument(bytes)) return yield* itemsOf(await collect(input()));
    isFirst = false;
    yield { place: `line ${number}`, bytes };
  }
}

class TooLong extends Error {}

const tooLong = (what: string, bytes: number): TooLong =>
  new TooLong(`Cannot read ${what}: got more than ${bytes / mebibyte} MiB, want less, or a file of JSON lines`);

/** By the line feed alone: Node's own reader of lines also breaks at U+2028, which JSON text may hold. */
async function* linesOf(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let begun: Buffer[] = [];
  let size = 0;
  for await (const chunk of chunks) {
    let from = 0;
    for (let end = chunk.indexOf(lineFeed); end >= 0; end = chunk.indexOf(lineFeed, from)) {
      yield Buffer.concat([...begun, chunk.subarray(from, end)]);
      begun = [];
      size = 0;
      from = end + 1;
    }
    begun.push(chunk.subarray(from));
    size += chunk.length - from;
    if (size > maxLineBytes) throw tooLong("a line", maxLineBytes);
  }
  yield Buffer.concat(begun);
}

const blanks = new Set([0x20, 0x09, 0x0d]);

const isBlank = (line: Buffer): boolean => line.every((byte) => blanks.has(byte));

// Trimming takes a byte order mark away as well.
const isDocument = (line: Buffer): boolean => {
  const start = line.toString().trim();
  return start === "{" || start.startsWith("[");
};

/** What is no array is left to the reader of one event, and to its words where it is not even JSON. */
function* itemsOf(document: Buffer): Generator<Piece> {
  const items = arrayIn(document);
  if (items === undefined) return yield { place: "event 1", bytes: document };
  for (const [index, item] of items.entries())
    yield { place: `event ${index + 1}`, bytes: Buffer.from(JSON.stringify(item)) };
}

const arrayIn = (document: Buffer): readonly Json[] | undefined => {
  try {
    const value = readJson(document);
    return Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
};

const collect = async (chunks: AsyncIterable<Buffer>): Promise<Buffer> => {
  const all: Buffer[] = [];
  let size = 0;
  for await (const chunk of chunks) {
    all.push(chunk);
    size += chunk.length;
    if (size > maxKeptBytes) throw tooLong("all of it at once", maxKeptBytes);
  }
  return Buffer.concat(all);
};
