import { readFileSync } from "node:fs";

import { describe, expect, it } from "vitest";

import { readSettingsFile } from "../src/config/settings/settings.ts";
import type { JsonObject } from "../src/core/json/json.ts";
import type { Arrival } from "../src/core/parsed-record.ts";
import { compileAvro } from "../src/decoding/avro/avro.ts";
import { createDecoder } from "../src/decoding/decoder.ts";
import { frame } from "../src/decoding/encoder.ts";
import { type Reader, createReader } from "../src/intake/record-reader.ts";
import { handlerOf } from "../src/service/live-settings.ts";
import { type CaseFile, type ExpectedEvent, caseSettings, foundOf, readCaseFiles, recordTime } from "./case-files.ts";

const files = await readCaseFiles();
const handle = handlerOf(readSettingsFile(caseSettings, (path) => readFileSync(path, "utf8")));
const ours = { name: "ours", decode: compileAvro(readFileSync("schemas/segment-event.avsc", "utf8")) };
const schemaId = 7;

interface Way {
  readonly way: string;
  readonly read: Reader;
  readonly written: (value: Buffer) => Buffer;
}

/** How the records of a file come: JSON to a service that reads everything, Avro without a header and with a registry's. */
const waysOf = ({ schema }: CaseFile): readonly Way[] => {
  if (schema === undefined) {
    const decoder = createDecoder({ format: "auto", bare: [ours] });
    return [{ way: "JSON", read: createReader({ decoder, handle }), written: (value) => value }];
  }
  const decode = compileAvro(schema);
  const bare = createDecoder({ format: "avro", bare: [{ name: "theirs", decode }] });
  const source = { peek: () => decode, load: async () => ({ kind: "decoder", decode }) as const };
  const framed = createDecoder({ format: "auto", source, bare: [ours] });
  return [
    { way: "bare Avro", read: createReader({ decoder: bare, handle }), written: (value) => value },
    { way: "framed Avro", read: createReader({ decoder: framed, handle }), written: (value) => frame(schemaId, value) },
  ];
};

const arrivalsOf = ({ read, written }: Way, value: Buffer): readonly Arrival[] => {
  const timestamp = String(recordTime);
  const record = { key: null, value: written(value), timestamp, attributes: 0, offset: "0", headers: {} };
  const reading = read(record, { topic: "events", partition: 0, tier: undefined });
  return reading.kind === "arrivals" ? reading.arrivals : [];
};

const outcomeOf = ({ meaning }: Arrival): string =>
  `${meaning.kind} ${meaning.kind === "call" ? meaning.call : meaning.reason}`;

const bodyOf = ({ meaning }: Arrival): JsonObject =>
  meaning.kind === "call" ? (JSON.parse(Buffer.from(meaning.body).toString()) as JsonObject) : {};

const check = (arrival: Arrival, { outcome, error, repairs, body = {}, without }: ExpectedEvent): void => {
  expect([outcomeOf(arrival), "error" in arrival.meaning ? arrival.meaning.error : ""]).toEqual([
    outcome,
    expect.stringContaining(error),
  ]);
  expect([...arrival.repairs].sort()).toEqual([...repairs].sort());
  expect(bodyOf(arrival)).toMatchObject(body);
  expect(foundOf(bodyOf(arrival), without)).toEqual([]);
};

const ways = files.flatMap((file) => waysOf(file).map((way) => [file.producer, way.way, { file, way }] as const));

describe.each(ways)("%s, as %s", (_producer, _way, { file: { records }, way }) => {
  it.each(records)("line $line", ({ value, events }) => {
    const arrivals = arrivalsOf(way, value);
    expect(arrivals.map(outcomeOf)).toEqual(events.map(({ outcome }) => outcome));
    for (const [index, arrival] of arrivals.entries()) {
      const expected = events[index];
      if (expected) check(arrival, expected);
    }
  });
});

describe("all cases", () => {
  const arrivals = files.flatMap((file) => {
    const [way] = waysOf(file);
    return way ? file.records.flatMap(({ value }) => arrivalsOf(way, value)) : [];
  });

  it("give each event that is delivered a user and a messageId of its own, so that they keep their order and none is a duplicate", () => {
    const delivered = arrivals.filter(({ meaning }) => meaning.kind === "call");
    expect(new Set(delivered.map(({ user }) => user)).size).toBe(delivered.length);
    expect(new Set(delivered.map(({ messageId = "" }) => messageId)).size).toBe(delivered.length);
  });

  it("have fewer dead letters than would hold a service", () => {
    const dead = arrivals.filter(({ meaning }) => meaning.kind === "dead");
    expect(dead.length).toBeLessThan(90);
  });
});
