import { readFileSync } from "node:fs";

import { describe, expect, it } from "vitest";

import { readSettingsFile } from "../src/config/settings/settings.ts";
import type { JsonObject } from "../src/core/json/json.ts";
import type { ParsedRecord } from "../src/core/parsed-record.ts";
import { compileAvroSchema } from "../src/decoding/avro/avro.ts";
import { createDecoder } from "../src/decoding/decoder.ts";
import { frame } from "../src/decoding/encoder.ts";
import { type RecordReader, createRecordReader } from "../src/intake/record-reader.ts";
import { createDecideFor } from "../src/service/live-settings.ts";
import { type CaseFile, type ExpectedEvent, caseSettings, foundOf, readCaseFiles, recordTime } from "./case-files.ts";

const files = await readCaseFiles();
const decide = createDecideFor(readSettingsFile(caseSettings, (path) => readFileSync(path, "utf8")));
const ours = { name: "ours", decode: compileAvroSchema(readFileSync("schemas/segment-event.avsc", "utf8")) };
const schemaId = 7;

interface Way {
  readonly way: string;
  readonly read: RecordReader;
  readonly written: (value: Buffer) => Buffer;
}

/** How the records of a file come: JSON to a service that reads everything, Avro without a header and with a registry's. */
const waysOf = ({ schema }: CaseFile): readonly Way[] => {
  if (schema === undefined) {
    const decoder = createDecoder({ format: "auto", bareSchemas: [ours] });
    return [{ way: "JSON", read: createRecordReader({ decoder, decide }), written: (value) => value }];
  }
  const decode = compileAvroSchema(schema);
  const bare = createDecoder({ format: "avro", bareSchemas: [{ name: "theirs", decode }] });
  const decoderCache = { peek: () => decode, load: async () => ({ kind: "decoder", decode }) as const };
  const framed = createDecoder({ format: "auto", decoderCache, bareSchemas: [ours] });
  return [
    { way: "bare Avro", read: createRecordReader({ decoder: bare, decide }), written: (value) => value },
    {
      way: "framed Avro",
      read: createRecordReader({ decoder: framed, decide }),
      written: (value) => frame(schemaId, value),
    },
  ];
};

const parsedRecordsOf = ({ read, written }: Way, value: Buffer): readonly ParsedRecord[] => {
  const timestamp = String(recordTime);
  const record = { key: null, value: written(value), timestamp, attributes: 0, offset: "0", headers: {} };
  const reading = read(record, { topic: "events", partition: 0, tier: undefined });
  return reading.kind === "parsed" ? reading.parsedRecords : [];
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

const ways = files.flatMap((file) => waysOf(file).map((way) => [file.producer, way.way, { file, way }] as const));

describe.each(ways)("%s, as %s", (_producer, _way, { file: { records }, way }) => {
  it.each(records)("line $line", ({ value, events }) => {
    const parsedRecords = parsedRecordsOf(way, value);
    expect(parsedRecords.map(outcomeOf)).toEqual(events.map(({ outcome }) => outcome));
    for (const [index, parsed] of parsedRecords.entries()) {
      const expected = events[index];
      if (expected) check(parsed, expected);
    }
  });
});

describe("all cases", () => {
  const parsedRecords = files.flatMap((file) => {
    const [way] = waysOf(file);
    return way ? file.records.flatMap(({ value }) => parsedRecordsOf(way, value)) : [];
  });

  it("give each event that is delivered a user and a messageId of its own, so that they keep their order and none is a duplicate", () => {
    const delivered = parsedRecords.filter(({ decision }) => decision.kind === "call");
    expect(new Set(delivered.map(({ user }) => user)).size).toBe(delivered.length);
    expect(new Set(delivered.map(({ messageId = "" }) => messageId)).size).toBe(delivered.length);
  });

  it("have fewer dead letters than would hold a service", () => {
    const dead = parsedRecords.filter(({ decision }) => decision.kind === "dead");
    expect(dead.length).toBeLessThan(90);
  });
});
