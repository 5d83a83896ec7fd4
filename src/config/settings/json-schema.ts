import { z } from "zod";

import { settingsSchema } from "./schema.ts";

/** The settings file as a JSON Schema for editors, of draft 7, which the YAML language server takes. */
export const settingsJsonSchema = (): object =>
  z.toJSONSchema(settingsSchema, {
    target: "draft-7",
    io: "input",
    // Where a value is put into its final shape zod leaves these out; ours are what people write.
    override: ({ zodSchema, jsonSchema }) => {
      const { default: fallback, examples } = z.globalRegistry.get(zodSchema) ?? {};
      if (fallback !== undefined) jsonSchema.default = fallback;
      if (Array.isArray(examples)) jsonSchema.examples = examples;
    },
  });
