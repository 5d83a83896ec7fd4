import { createRequire } from "node:module";

import { expect, it } from "vitest";

import { nullHeader } from "../../../src/core/outcome/failure-headers.ts";
import { readBatches } from "../../../src/kafka/fetch/record-batches.ts";
import { patchNullHeaders } from "../../../src/kafka/publish/write-null-headers.ts";

interface Encoded {
  readonly buffer: Buffer;
}

it("kafkajs writes headers without a value, between empty and other ones", async () => {
  patchNullHeaders();
  patchNullHeaders();
  const require = createRequire(import.meta.url);
  const { RecordBatch } = require("kafkajs/src/protocol/recordBatch/v0") as {
    RecordBatch: (batch: { records: unknown[] }) => Promise<Encoded>;
  };
  const createRecord = require("kafkajs/src/protocol/recordBatch/record/v0") as (record: object) => unknown;
  const headers = { null: nullHeader, empty: "", bytes: Buffer.from("a"), many: [nullHeader, "b", Buffer.alloc(0)] };
  const { buffer } = await RecordBatch({ records: [createRecord({ key: "k", value: "v", headers })] });
  const { records } = await readBatches(buffer, { fetchOffset: 0, capacity: { bytes: 1_000 }, endOffset: 1 });
  expect(records[0]?.headers).toEqual({
    null: null,
    empty: Buffer.alloc(0),
    bytes: Buffer.from("a"),
    many: [null, Buffer.from("b"), Buffer.alloc(0)],
  });
});
