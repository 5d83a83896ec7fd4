import { createRequire } from "node:module";

import { nullHeader } from "../../core/outcome/headers.ts";

type EncodeHeader = (header: { readonly key: string; readonly value: unknown }) => unknown;

const require = createRequire(import.meta.url);
let isPatched = false;

/**
 * kafkajs 2.2.4 reads headers without a value and throws if it has to write one: it asks for the size of null. `nullHeader` stands for
 * one until its size is known, which is that of an empty header. To be called before anything is written.
 */
export const patchNullHeaders = (): void => {
  if (isPatched) return;
  isPatched = true;
  const path = require.resolve("kafkajs/src/protocol/recordBatch/header/v0");
  const encode = require(path) as EncodeHeader;
  const module = require.cache[path];
  if (!module)
    throw new Error("Cannot write headers without a value: this is not the kafkajs that we know, want 2.2.4");
  const encodeNull: EncodeHeader = ({ key, value }) => encode({ key, value: value === nullHeader ? null : value });
  module.exports = encodeNull;
};
