// Copies the JSON Schema of the settings into the schema of the chart's values: node helm/sync-schema.ts && npx oxfmt helm/gainstream/values.schema.json
import { readFileSync, writeFileSync } from "node:fs";

import { settingsJsonSchema } from "../src/config/settings/json-schema.ts";

const file = "helm/gainstream/values.schema.json";
const { $schema: _, definitions, ...settings } = { $schema: "", definitions: {}, ...settingsJsonSchema() };
const values = JSON.parse(readFileSync(file, "utf8"));
writeFileSync(file, JSON.stringify({ ...values, definitions: { Settings: settings, ...definitions } }, undefined, 2));
