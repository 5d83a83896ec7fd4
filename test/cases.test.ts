import { readFileSync } from "node:fs";

import { describe, expect, it } from "vitest";

import { readSettingsFile } from "../src/config/settings/settings.ts";
import type { JsonObject } from "../src/core/json/json.ts";
import type { ParsedRecord } from "../src/core/parsed-record.ts";
import { compileAvroSchema } from "../src/decoding/avro/avro.ts";
import { createDecoder } from "../src/decoding/decoder.ts";
import { frame } from "../src/decoding/frame.ts";
import { type RecordReader, createRecordReader } from "../src/intake/record-reader.ts";
import { createDecideFor } from "../src/service/live-settings.ts";
import { type CaseFile, type ExpectedEvent, caseSettings, foundOf, readCaseFiles, recordTime } from "./case-files.ts";

const files = await readCaseFiles();
const decide = createDecideFor(readSettingsFile(caseSettings, (path) => readFileSync(path, "utf8")));
const segmentEventSchema = {
  name: "segment-event.avsc",
  decode: compileAvroSchema(readFileSync("schemas/segment-event.avsc", "utf8")),
};
const schemaId = 7;

interface ReadingMode {
  /** For the test title. */
  readonly name: string;
  readonly read: RecordReader;
  /** Turns a value of the file into the value of the Kafka record. */
  readonly toValue: (value: Buffer) => Buffer;
}

/** How the records of a file are read: JSON with INPUT_FORMAT=auto, Avro both as bare Avro and framed. */
const readingModesOf = ({ schema }: CaseFile): readonly ReadingMode[] => {
  if (schema === undefined) {
    const decoder = createDecoder({ format: "auto", bareSchemas: [segmentEventSchema] });
    return [{ name: "JSON", read: createRecordReader({ decoder, decide }), toValue: (value) => value }];
  }
  const decode = compileAvroSchema(schema);
  const bare = createDecoder({ format: "avro", bareSchemas: [{ name: "producer.avsc", decode }] });
  const decoderCache = { peek: () => decode, load: async () => ({ kind: "decoder", decode }) as const };
  const framed = createDecoder({ format: "auto", decoderCache, bareSchemas: [segmentEventSchema] });
  return [
    { name: "bare Avro", read: createRecordReader({ decoder: bare, decide }), toValue: (value) => value },
    {
      name: "framed Avro",
      read: createRecordReader({ decoder: framed, decide }),
      toValue: (value) => frame(schemaId, value),
    },
  ];
};

const parsedRecordsOf = ({ read, toValue }: ReadingMode, value: Buffer): readonly ParsedRecord[] => {
  const timestamp = String(recordTime);
  const record = { key: null, value: toValue(value), timestamp, attributes: 0, offset: "0", headers: {} };
  const result = read(record, { topic: "events", partition: 0, tier: undefined });
  return result.kind === "parsed" ? result.parsedRecords : [];
};

const outcomeOf = ({ decision }: ParsedRecord): string =>
  `${decision.kind} ${decision.kind === "call" ? decision.type : decision.reason}`;

const bodyOf = ({ decision }: ParsedRecord): JsonObject =>
  decision.kind === "call" ? (JSON.parse(Buffer.from(decision.body).toString()) as JsonObject) : {};

const check = (parsed: ParsedRecord, { outcome, error, repairs, body = {}, without }: ExpectedEvent): void => {
  expect([outcomeOf(parsed), "error" in parsed.decision ? parsed.decision.error : ""]).toEqual([
    outcome,
    expect.stringContaining(error),
  ]);
  expect([...parsed.repairs].sort()).toEqual([...repairs].sort());
  expect(bodyOf(parsed)).toMatchObject(body);
  expect(foundOf(bodyOf(parsed), without)).toEqual([]);
};

const readings = files.flatMap((file) =>
  readingModesOf(file).map((mode) => [file.producer, mode.name, { file, mode }] as const),
);

describe.each(readings)("%s, as %s", (_producer, _mode, { file: { records }, mode }) => {
  it.each(records)("line $line", ({ value, events }) => {
    const parsedRecords = parsedRecordsOf(mode, value);
    expect(parsedRecords.map(outcomeOf)).toEqual(events.map(({ outcome }) => outcome));
    for (const [index, parsed] of parsedRecords.entries()) {
      const expected = events[index];
      if (expected) check(parsed, expected);
    }
  });
});

describe("all cases", () => {
  const parsedRecords = files.flatMap((file) => {
    const [mode] = readingModesOf(file);
    return mode ? file.records.flatMap(({ value }) => parsedRecordsOf(mode, value)) : [];
  });

  it("give each delivered event a user and a messageId of its own, so that no event is a duplicate or waits for another", () => {
    const delivered = parsedRecords.filter(({ decision }) => decision.kind === "call");
    expect(new Set(delivered.map(({ user }) => user)).size).toBe(delivered.length);
    expect(new Set(delivered.map(({ messageId = "" }) => messageId)).size).toBe(delivered.length);
  });

  it("have fewer dead letters than the dead-letter limit allows", () => {
    const dead = parsedRecords.filter(({ decision }) => decision.kind === "dead");
    expect(dead.length).toBeLessThan(90);
  });
});
