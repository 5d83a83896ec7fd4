import { fileURLToPath } from "node:url";

/** `schemas/segment-event.avsc`, which lies beside `src` and `dist` alike, whatever the current folder is. */
export const shippedSchema = {
  path: fileURLToPath(new URL("../../schemas/segment-event.avsc", import.meta.url)),
  text: "the file shipped with it",
} as const;
