import { readFileSync, readdirSync } from "node:fs";

import avro, { type Schema } from "avsc";
import { parse } from "yaml";
import { z } from "zod";

import { piecesOf, textInput } from "../src/cli/send-input.ts";
import { type Repair, repairTexts } from "../src/core/event/repairs.ts";
import { type Json, type JsonObject, isObject } from "../src/core/json/json.ts";

const folder = "test/cases";
export const caseSettings = `${folder}/settings.yaml`;
/** When the records of all cases were written, for Kafka. */
export const recordTime = Date.parse("2026-03-01T12:00:00.000Z");

const expectedEvent = z.strictObject({
  /** Where its record stands in the file; a record that holds several events has several entries. */
  line: z.int().min(1),
  /** For people. */
  about: z.string().optional(),
  outcome: z.string().regex(/^(?:call (?:identify|track|group)|skipped \w+|dead \w+)$/),
  /** Part of the error of a dead letter. */
  error: z.string().default(""),
  /** All of them, in any order. */
  repairs: z.array(z.enum(Object.keys(repairTexts) as Repair[])).default([]),
  /** What the body must hold among other things. */
  body: z.record(z.string(), z.json()).optional(),
  /** Paths that must lead to nothing in the body. */
  without: z.array(z.string()).default([]),
});
const expectedFile = z.strictObject({
  about: z.string(),
  sources: z.array(z.url()).optional(),
  events: z.array(expectedEvent),
});

export type ExpectedEvent = z.output<typeof expectedEvent>;

/** One record as a producer wrote it, and what becomes of each event in it. */
export interface CaseRecord {
  readonly line: number;
  readonly value: Buffer;
  readonly events: readonly ExpectedEvent[];
}

export interface CaseFile {
  readonly producer: string;
  /** Of a producer of Avro, whose records are without a header. */
  readonly schema: string | undefined;
  readonly records: readonly CaseRecord[];
}

const read = (name: string): string => readFileSync(`${folder}/${name}`, "utf8");

/** Avro is written down in its own JSON encoding: what a producer writes are the bytes for it. */
const bytesOf = (line: Buffer, schema: string | undefined): Buffer => {
  if (schema === undefined) return line;
  const type = avro.Type.forSchema(JSON.parse(schema) as Schema);
  return type.toBuffer(type.fromString(line.toString()));
};

const readCases = async (file: string): Promise<CaseFile> => {
  const producer = file.slice(0, file.lastIndexOf("."));
  const schema = file.endsWith(".avrojson") ? read(`${producer}.avsc`) : undefined;
  const { events } = expectedFile.parse(parse(read(`${producer}.expected.yaml`)));
  const records: CaseRecord[] = [];
  for await (const { place, bytes } of piecesOf(textInput(read(file)))) {
    const line = Number(place.slice("line ".length));
    records.push({ line, value: bytesOf(bytes, schema), events: events.filter((event) => event.line === line) });
  }
  const lines = new Set(records.map(({ line }) => line));
  const stray = events.find(({ line }) => !lines.has(line));
  if (stray) throw new Error(`${producer}.expected.yaml names line ${stray.line}, which ${file} does not have`);
  return { producer, schema, records };
};

/** All files of the folder. Throws if one of them is not as its README says. */
export const readCaseFiles = async (): Promise<readonly CaseFile[]> => {
  const files = readdirSync(folder).filter((name) => /\.(?:jsonl|avrojson)$/.test(name));
  return Promise.all(files.map(readCases));
};

const valueAt = (body: JsonObject, path: string): Json | undefined =>
  path.split(".").reduce<Json | undefined>((value, key) => (isObject(value) ? value[key] : undefined), body);

/** Those of the paths, such as `traits.email`, that lead to something in a body. */
export const foundOf = (body: JsonObject, paths: readonly string[]): readonly string[] =>
  paths.filter((path) => valueAt(body, path) !== undefined);
