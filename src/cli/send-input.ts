import { constants, createReadStream } from "node:fs";
import { access, stat } from "node:fs/promises";

import type { Json } from "../core/json/json.ts";
import { parseJsonBytes } from "../decoding/json-bytes.ts";

/** Opens the input from its start, at every call. */
export type OpenInput = () => AsyncIterable<Buffer>;

export interface Source {
  /** The name of the file, or `standard input`. */
  readonly name: string;
  readonly input: OpenInput;
}

/** The JSON of one event, and its location, such as `line 3`. */
export interface EventBytes {
  readonly location: string;
  readonly bytes: Buffer;
}

const mebibyte = 1024 * 1024;
const maxLineBytes = 16 * mebibyte;
/** The limit for input that must stay in memory, because it can be read only once or only as a whole. */
const maxBufferedBytes = 64 * mebibyte;
const lineFeed = 0x0a;

/** Opens files in their order. */
export const openSources = async (files: readonly string[]): Promise<Source[]> => {
  const sources: Source[] = [];
  for (const file of files)
    sources.push({ name: file === "-" ? "standard input" : file, input: await openInput(file) });
  return sources;
};

/** Opens a file, or standard input for `-`. Rejects with an error for people if the file is unreadable. */
export const openInput = async (file: string): Promise<OpenInput> => {
  try {
    if (file === "-") return inputOf(await readAll(process.stdin));
    await access(file, constants.R_OK);
    if ((await stat(file)).isFile()) return () => createReadStream(file);
    return inputOf(await readAll(createReadStream(file)));
  } catch (error) {
    if (error instanceof InputTooLongError) throw error;
    throw new Error(`Cannot read the events: got '${file}', want a readable file, or - for standard input`, {
      cause: error,
    });
  }
};

/** Input that is already in memory. */
export const inputOf = (text: string | Buffer): OpenInput =>
  async function* chunks() {
    yield Buffer.from(text);
  };

/** The events of JSON lines, of a JSON array, or of one object over several lines. Empty lines do not count. */
export async function* splitEvents(input: OpenInput): AsyncGenerator<EventBytes> {
  let number = 0;
  let isFirst = true;
  for await (const bytes of linesOf(input())) {
    number += 1;
    if (isBlank(bytes)) continue;
    if (isFirst && startsDocument(bytes)) return yield* arrayItems(await readAll(input()));
    isFirst = false;
    yield { location: `line ${number}`, bytes };
  }
}

class InputTooLongError extends Error {}

const inputTooLong = (label: string, bytes: number): InputTooLongError =>
  new InputTooLongError(
    `Cannot read ${label}: got more than ${bytes / mebibyte} MiB, want less, or a file of JSON lines`,
  );

/** Splits at line feeds only. Node's readline also splits at U+2028, which JSON text may hold. */
async function* linesOf(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let partialLine: Buffer[] = [];
  let size = 0;
  for await (const chunk of chunks) {
    let from = 0;
    for (let end = chunk.indexOf(lineFeed); end >= 0; end = chunk.indexOf(lineFeed, from)) {
      yield Buffer.concat([...partialLine, chunk.subarray(from, end)]);
      partialLine = [];
      size = 0;
      from = end + 1;
    }
    partialLine.push(chunk.subarray(from));
    size += chunk.length - from;
    if (size > maxLineBytes) throw inputTooLong("a line", maxLineBytes);
  }
  yield Buffer.concat(partialLine);
}

const blanks = new Set([0x20, 0x09, 0x0d]);

const isBlank = (line: Buffer): boolean => line.every((byte) => blanks.has(byte));

// Trimming also removes a byte order mark.
const startsDocument = (line: Buffer): boolean => {
  const start = line.toString().trim();
  return start === "{" || start.startsWith("[");
};

/** If the document is no array, it is one event. If it is not even JSON, the decoder says so. */
function* arrayItems(document: Buffer): Generator<EventBytes> {
  const items = parseArray(document);
  if (items === undefined) return yield { location: "event 1", bytes: document };
  for (const [index, item] of items.entries())
    yield { location: `event ${index + 1}`, bytes: Buffer.from(JSON.stringify(item)) };
}

const parseArray = (document: Buffer): readonly Json[] | undefined => {
  try {
    const value = parseJsonBytes(document);
    return Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
};

const readAll = async (chunks: AsyncIterable<Buffer>): Promise<Buffer> => {
  const all: Buffer[] = [];
  let size = 0;
  for await (const chunk of chunks) {
    all.push(chunk);
    size += chunk.length;
    if (size > maxBufferedBytes) throw inputTooLong("the input as a whole", maxBufferedBytes);
  }
  return Buffer.concat(all);
};
