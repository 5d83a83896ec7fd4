import { readFileSync } from "node:fs";

import avro from "avsc";

import { createEvents, encodeEvent } from "../local/events.ts";
import { compileAvro } from "../src/intake/decode-avro.ts";

const rounds = 9;

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

/** CPU time of one pass over all payloads, in microseconds a payload. */
const timed = (payloads: readonly Buffer[], work: (payload: Buffer) => unknown): number => {
  const before = process.cpuUsage();
  for (const payload of payloads) work(payload);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / payloads.length;
};

/** Prints what it costs to decode and normalise a typical event, and to write it as JSON. */
export const benchDecode = (): void => {
  const schema = JSON.parse(
    readFileSync(new URL("../schemas/segment-event.avsc", import.meta.url), "utf8"),
  ) as avro.Schema;
  const type = avro.Type.forSchema(schema);
  const events = createEvents({ users: 1_000, count: 20_000, seed: 1, startAt: Date.UTC(2026, 0, 1) });
  const payloads = Array.from(events, (event) => encodeEvent(event, type));
  const decode = compileAvro(schema);
  const ways = {
    "avsc alone": (payload: Buffer) => type.fromBuffer(payload) as unknown,
    "decode and normalise": decode,
    "and write as JSON": (payload: Buffer) => JSON.stringify(decode(payload)),
  };
  const bytes = payloads.reduce((sum, { length }) => sum + length, 0) / payloads.length;
  console.log(`${payloads.length} events of ${Math.round(bytes)} bytes, median of ${rounds} passes`);
  for (const [name, work] of Object.entries(ways)) {
    const times = Array.from({ length: rounds }, () => timed(payloads, work));
    console.log(`${name.padEnd(22)}${median(times).toFixed(2)} µs/event`);
  }
};
