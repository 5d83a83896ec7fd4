import { fileURLToPath } from "node:url";

/** All that a program of ours inherits from the tests. The cache of compiled code halves the time of its start. */
export const programEnv = {
  PATH: process.env["PATH"],
  NODE_COMPILE_CACHE: fileURLToPath(new URL("../node_modules/.cache/node", import.meta.url)),
};
