import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import * as fc from "fast-check";
import { describe, expect, it, onTestFinished } from "vitest";

import { type OpenInput, openInput, splitEvents, inputOf } from "../../src/cli/send-input.ts";

const read = async (input: OpenInput): Promise<string[]> => {
  const pieces: string[] = [];
  for await (const { location, bytes } of splitEvents(input)) pieces.push(`${location}: ${bytes.toString()}`);
  return pieces;
};

const inChunks = (text: string, size: number): OpenInput =>
  async function* chunks() {
    const bytes = Buffer.from(text);
    for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
  };

describe("splitEvents()", () => {
  it.each([
    ["JSON lines", '{"a":1}\n{"a":2}\n', ['line 1: {"a":1}', 'line 2: {"a":2}']],
    ["a last line without a line feed", '{"a":1}\n{"a":2}', ['line 1: {"a":1}', 'line 2: {"a":2}']],
    ["empty lines, which count as lines", '\n  \n{"a":1}\n\t\r\n{"a":2}', ['line 3: {"a":1}', 'line 5: {"a":2}']],
    ["lines with a carriage return", '{"a":1}\r\n', ['line 1: {"a":1}\r']],
    ["a U+2028, which does not end a line", '{"a":"\u2028"}\n', ['line 1: {"a":"\u2028"}']],
    ["an array", '[{"a":1},\n{"a":2}]\n', ['event 1: {"a":1}', 'event 2: {"a":2}']],
    ["an array with a byte order mark", '\uFEFF[{"a":1}]', ['event 1: {"a":1}']],
    ["an array without events", "[4, null]", ["event 1: 4", "event 2: null"]],
    ["an empty array", "[]", []],
    ["nothing", "", []],
    ["one object over several lines", '\n{\n  "a": 1\n}\n', ['event 1: \n{\n  "a": 1\n}\n']],
    ["a broken array as one event, which the decoder refuses", '[{"a":1}', ['event 1: [{"a":1}']],
    ["an object that begins like a JSON line", '{"a":1,\n"b":2}', ['line 1: {"a":1,', 'line 2: "b":2}']],
  ])("reads %s", async (_, text, expected) => {
    expect(await read(inputOf(text))).toEqual(expected);
  });

  it("reads the same lines from chunks of any size", async () => {
    const line = fc
      .array(fc.constantFrom("a", "é", " ", "\u2028", "\r"), { maxLength: 5 })
      .map((parts) => parts.join(""));
    await fc.assert(
      fc.asyncProperty(fc.array(line, { maxLength: 6 }), fc.integer({ min: 1, max: 7 }), async (lines, size) => {
        const text = lines.map((one) => `x${one}`).join("\n");
        const expected = lines.map((one, index) => `line ${index + 1}: x${one}`);
        expect(await read(inChunks(text, size))).toEqual(expected);
      }),
    );
  });

  it("keeps integers beyond 2^53 exact in an array", async () => {
    expect(await read(inputOf('[{"n":12345678901234567890}]'))).toEqual(['event 1: {"n":"12345678901234567890"}']);
  });

  it("refuses an endless line", async () => {
    const endless: OpenInput = async function* chunks() {
      for (;;) yield Buffer.alloc(1024 * 1024, "x");
    };
    await expect(read(endless)).rejects.toThrow("Cannot read a line: got more than 16 MiB");
  });
});

describe("openInput()", () => {
  it("opens a file again at each call", async () => {
    const folder = await mkdtemp(join(tmpdir(), "gainstream-send-"));
    onTestFinished(() => rm(folder, { recursive: true }));
    const file = join(folder, "events.jsonl");
    await writeFile(file, '{"a":1}\n');
    const input = await openInput(file);
    expect(await read(input)).toEqual(['line 1: {"a":1}']);
    expect(await read(input)).toEqual(['line 1: {"a":1}']);
  });

  it.each([
    ["a missing file", "no-such-file.jsonl"],
    ["a folder", tmpdir()],
  ])("rejects %s", async (_, file) => {
    await expect(openInput(file)).rejects.toThrow(`Cannot read the events: got '${file}', want a readable file`);
  });
});
