import { fileURLToPath } from "node:url";

/** `schemas/segment-event.avsc`. The folder lies beside both `src` and `dist`, so the current folder does not matter. */
export const shippedSchema = {
  path: fileURLToPath(new URL("../../schemas/segment-event.avsc", import.meta.url)),
  text: "the shipped schema",
} as const;
