import { createRequire } from "node:module";

import { nullHeader } from "../../core/outcome/failure-headers.ts";

type EncodeHeader = (header: { readonly key: string; readonly value: unknown }) => unknown;

const require = createRequire(import.meta.url);
let isPatched = false;

/**
 * Lets kafkajs write headers whose value is null. kafkajs 2.2.4 reads such headers but throws when it computes the size of one for a
 * write. `nullHeader` stands for null until then: its size is that of an empty value, and the encoder that this function installs writes
 * null in its place. Call it before the first write.
 */
export const patchNullHeaders = (): void => {
  if (isPatched) return;
  isPatched = true;
  const path = require.resolve("kafkajs/src/protocol/recordBatch/header/v0");
  const encode = require(path) as EncodeHeader;
  const module = require.cache[path];
  if (!module)
    throw new Error(
      "Cannot write headers without a value: the installed kafkajs has no header encoder to replace, want kafkajs 2.2.4",
    );
  const encodeNull: EncodeHeader = ({ key, value }) => encode({ key, value: value === nullHeader ? null : value });
  module.exports = encodeNull;
};
