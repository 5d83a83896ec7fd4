import { readFileSync, readdirSync } from "node:fs";

import avro, { type Schema } from "avsc";
import { parse } from "yaml";
import { z } from "zod";

import { splitEvents, inputOf } from "../src/cli/send-input.ts";
import { type Repair, repairTexts } from "../src/core/event/repairs.ts";
import { type Json, type JsonObject, isObject } from "../src/core/json/json.ts";

const folder = "test/cases";
export const caseSettings = `${folder}/settings.yaml`;
/** The Kafka timestamp of the records of all cases, in milliseconds since 1970. */
export const recordTime = Date.parse("2026-03-01T12:00:00.000Z");

const expectedEvent = z.strictObject({
  /** The line of the event's record in the file. A record with several events has several entries. */
  line: z.int().min(1),
  /** A note for people. */
  about: z.string().optional(),
  outcome: z.string().regex(/^(?:call (?:identify|track|group)|skipped \w+|dead \w+)$/),
  /** A part of the dead letter's error. */
  error: z.string().default(""),
  /** All repairs of the event, in any order. */
  repairs: z.array(z.enum(Object.keys(repairTexts) as Repair[])).default([]),
  /** Fields that the body must have; it may have others. */
  body: z.record(z.string(), z.json()).optional(),
  /** Paths such as `traits.email` that the body must not have. */
  without: z.array(z.string()).default([]),
});
const expectedFile = z.strictObject({
  about: z.string(),
  sources: z.array(z.url()).optional(),
  events: z.array(expectedEvent),
});

export type ExpectedEvent = z.output<typeof expectedEvent>;

/** One record as its producer writes it, and the expected outcome of each of its events. */
export interface CaseRecord {
  readonly line: number;
  readonly value: Buffer;
  readonly events: readonly ExpectedEvent[];
}

export interface CaseFile {
  readonly producer: string;
  /** The text of the Avro schema; undefined if the records are JSON. */
  readonly schema: string | undefined;
  readonly records: readonly CaseRecord[];
}

const read = (name: string): string => readFileSync(`${folder}/${name}`, "utf8");

/** The bytes of one record. A file of Avro records holds them in Avro's JSON encoding. */
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
  for await (const { location: place, bytes } of splitEvents(inputOf(read(file)))) {
    const line = Number(place.slice("line ".length));
    records.push({ line, value: bytesOf(bytes, schema), events: events.filter((event) => event.line === line) });
  }
  const lines = new Set(records.map(({ line }) => line));
  const stray = events.find(({ line }) => !lines.has(line));
  if (stray) throw new Error(`${producer}.expected.yaml names line ${stray.line}, which ${file} does not have`);
  return { producer, schema, records };
};

/** Reads all files of the folder. Throws if a file breaks the rules of `test/cases/README.md`. */
export const readCaseFiles = async (): Promise<readonly CaseFile[]> => {
  const files = readdirSync(folder).filter((name) => /\.(?:jsonl|avrojson)$/.test(name));
  return Promise.all(files.map(readCases));
};

const valueAt = (body: JsonObject, path: string): Json | undefined =>
  path.split(".").reduce<Json | undefined>((value, key) => (isObject(value) ? value[key] : undefined), body);

/** The paths, such as `traits.email`, that lead to a value in a body. */
export const foundOf = (body: JsonObject, paths: readonly string[]): readonly string[] =>
  paths.filter((path) => valueAt(body, path) !== undefined);
