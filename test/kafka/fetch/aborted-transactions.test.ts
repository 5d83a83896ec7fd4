import { createRequire } from "node:module";

import { array, assert as assertProperty, asyncProperty, boolean, nat, record } from "fast-check";
import { describe, expect, it } from "vitest";

import { createFetchDecoder } from "../../../src/kafka/fetch/fetch-response.ts";
import { batchBytes, responseBytes } from "./batch-bytes.ts";

const require = createRequire(import.meta.url);
/** How kafkajs passes a fetched partition to its consumer. */
const Batch = require("kafkajs/src/consumer/batch") as new (
  topic: string,
  from: string,
  partition: object,
) => { readonly messages: readonly { readonly offset: string }[]; readonly lastOffset: () => string };

const inTransaction = 16;
const control = 32;

const write = (base: number, producerId: number, key = "key"): Buffer =>
  batchBytes({ base, producerId, attributes: inTransaction, records: [{ offsetDelta: 0, key, value: "v" }] });

/** The marker that ends a transaction. */
const end = (base: number, producerId: number, type: "abort" | "commit"): Buffer =>
  batchBytes({
    base,
    producerId,
    attributes: inTransaction + control,
    records: [{ offsetDelta: 0, key: type === "abort" ? "\0\0\0\0" : "\0\0\0\u{1}", value: "\0\0" }],
  });

/** The offsets of the records that a consumer sees of these batches, fetched from this offset. */
const seen = async (bytes: Buffer, from: number, aborted: readonly (readonly [number, number])[]) => {
  const raw = responseBytes(11, "events", [{ partition: 0, bytes, aborted }]);
  const { responses } = await createFetchDecoder(11, () => from)(raw);
  const batch = new Batch("events", String(from), responses[0]?.partitions[0] ?? {});
  return { offsets: batch.messages.map(({ offset }) => Number(offset)), last: Number(batch.lastOffset()) };
};

describe("the records of aborted transactions", () => {
  it("are hidden, though the broker lists the transactions in the order in which they ended", async () => {
    const bytes = Buffer.concat([write(0, 1), write(1, 2), write(2, 1), end(3, 2, "abort"), end(4, 1, "abort")]);
    expect(
      await seen(bytes, 0, [
        [2, 1],
        [1, 0],
      ]),
    ).toEqual({ offsets: [], last: 4 });
  });

  it("are hidden if several transactions began before the fetch offset", async () => {
    const bytes = Buffer.concat([write(7, 3), write(8, 2), write(9, 1)]);
    expect(
      await seen(bytes, 7, [
        [1, 0],
        [2, 1],
        [3, 2],
      ]),
    ).toEqual({ offsets: [], last: 9 });
  });

  it("are hidden after a record whose key looks like a marker, and those after the real marker are not", async () => {
    const bytes = Buffer.concat([write(0, 1, "\0\0\0\0"), write(1, 1), end(2, 1, "abort"), write(3, 1)]);
    expect(await seen(bytes, 0, [[1, 0]])).toEqual({ offsets: [3], last: 3 });
  });

  it("are the only records that are hidden, whichever transactions run at the same time", async () => {
    const step = record({ producer: nat(3), ends: nat(3), aborts: boolean() });
    await assertProperty(
      asyncProperty(array(step, { maxLength: 30 }), nat(30), async (steps, asked) => {
        const open = new Map<number, number[]>();
        const aborted: [number, number][] = [];
        const expected: number[] = [];
        const log: Buffer[] = [];
        const finish = (producer: number, aborts: boolean): void => {
          const written = open.get(producer);
          if (!written) return;
          open.delete(producer);
          if (aborts) aborted.push([producer, written[0] ?? 0]);
          else expected.push(...written);
          log.push(end(log.length, producer, aborts ? "abort" : "commit"));
        };
        for (const { producer, ends, aborts } of steps) {
          open.set(producer, [...(open.get(producer) ?? []), log.length]);
          log.push(write(log.length, producer));
          if (ends === 0) finish(producer, aborts);
        }
        for (const producer of open.keys()) finish(producer, producer % 2 === 0);
        const from = Math.min(asked, Math.max(0, log.length - 1));
        // The broker lists the transactions that overlap the fetched offsets.
        const touching = aborted.filter(([producer, first]) => first >= from || endOf(log, producer, first) >= from);
        const { offsets } = await seen(Buffer.concat(log.slice(from)), from, touching);
        expect(offsets).toEqual(expected.filter((offset) => offset >= from).toSorted((a, b) => a - b));
      }),
    );
  });
});

/** The offset of the marker of a transaction. */
function endOf(log: readonly Buffer[], producer: number, first: number): number {
  return log.findIndex(
    (bytes, offset) =>
      offset > first && bytes.readInt16BE(21) & control && Number(bytes.readBigInt64BE(43)) === producer,
  );
}
