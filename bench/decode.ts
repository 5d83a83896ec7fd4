import { readFileSync } from "node:fs";

import avro from "avsc";

import { createEvents, encodeEvent } from "../local/events.ts";
import { normaliseEvent } from "../src/core/event/normal-form.ts";
import { isObject } from "../src/core/json/json.ts";
import { compileAvroSchema } from "../src/decoding/avro/avro.ts";
import { decodeJsonEvents, type DecodeEvents } from "../src/decoding/events.ts";
import { atMostRow, infoRow } from "./bench.ts";
import { benchCodecs } from "./codecs.ts";

const rounds = 9;
const targetMicros = 8;

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

/** CPU time of the median pass over all payloads, in microseconds per payload. */
const microsOf = (payloads: readonly Buffer[], work: (payload: Buffer) => unknown): number => {
  const pass = (): number => {
    const before = process.cpuUsage();
    for (const payload of payloads) work(payload);
    const { user, system } = process.cpuUsage(before);
    return (user + system) / payloads.length;
  };
  return median(Array.from({ length: rounds }, pass));
};

const meanLength = (payloads: readonly Buffer[]): number =>
  Math.round(payloads.reduce((sum, { length }) => sum + length, 0) / payloads.length);

const timeFallbacks = { recordTime: Date.UTC(2026, 0, 1), wallNow: Date.now };

/** Reads a record of one event as the service does: decodes and normalises it. */
const readBy =
  (decode: DecodeEvents) =>
  (payload: Buffer): unknown => {
    const event = decode(payload);
    return isObject(event) ? normaliseEvent(event, timeFallbacks).event : event;
  };

/** Prints the CPU time to decode and normalise a typical event, to write it as JSON, and to decompress it with each codec. */
export const benchDecode = async (): Promise<void> => {
  const schema = JSON.parse(
    readFileSync(new URL("../schemas/segment-event.avsc", import.meta.url), "utf8"),
  ) as avro.Schema;
  const type = avro.Type.forSchema(schema);
  const events = [...createEvents({ users: 1_000, count: 20_000, seed: 1, startAt: Date.UTC(2026, 0, 1) })];
  const asAvro = events.map((event) => encodeEvent(event, type));
  const asJson = events.map((event) => Buffer.from(JSON.stringify(event)));
  const readAvro = readBy(compileAvroSchema(schema));
  const names = { avro: `Avro of ${meanLength(asAvro)} bytes`, json: `JSON of ${meanLength(asJson)} bytes` };
  console.log(`decode: ${events.length} events, median of ${rounds} passes`);
  console.table([
    atMostRow(targetMicros, `µs to decode and normalise ${names.avro}`, microsOf(asAvro, readAvro)),
    atMostRow(targetMicros, `µs to decode and normalise ${names.json}`, microsOf(asJson, readBy(decodeJsonEvents))),
    infoRow(
      "µs for the first, and to write it as JSON",
      microsOf(asAvro, (payload) => JSON.stringify(readAvro(payload))),
    ),
    infoRow(
      "µs for avsc alone",
      microsOf(asAvro, (payload) => type.fromBuffer(payload) as unknown),
    ),
  ]);
  await benchCodecs(asJson);
};
