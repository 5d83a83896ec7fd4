import { repairTexts } from "../../src/core/event/repairs.ts";
import { settingsReference } from "./reference-settings.ts";
import { code, entry, sentence } from "./reference-text.ts";
import { variablesReference } from "./reference-variables.ts";

const repairsReference = (): string =>
  Object.entries(repairTexts)
    .map(([name, text]) => entry(`${code(name)}: ${sentence(text)}`))
    .join("\n");

type Parts = Readonly<Record<string, string>>;

/** The generated parts by their documents and the names of their marks. */
export const referenceParts = (): Readonly<Record<string, Parts>> => ({
  "docs/configuration.md": { variables: variablesReference(), settings: settingsReference() },
  "schemas/README.md": { repairs: repairsReference() },
});
