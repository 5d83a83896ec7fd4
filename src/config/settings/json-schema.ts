import { z } from "zod";

import { settingsSchema } from "./schema.ts";

/** The JSON Schema of the settings file for editors. It is of draft 7, because the YAML language server takes that. */
export const settingsJsonSchema = (): object =>
  z.toJSONSchema(settingsSchema, {
    target: "draft-7",
    io: "input",
    // zod omits these where it transforms a value; ours are in the form that people write.
    override: ({ zodSchema, jsonSchema }) => {
      const { default: fallback, examples } = z.globalRegistry.get(zodSchema) ?? {};
      if (fallback !== undefined) jsonSchema.default = fallback;
      if (Array.isArray(examples)) jsonSchema.examples = examples;
    },
  });
