import { describeVariables } from "../config/env/variables.ts";

/** The environment as text for `--help`, one variable a paragraph. */
export const variablesHelp = (): string =>
  describeVariables()
    .map((variable) => `  ${variable.name} (${variable.default})\n      ${variable.meaning}`)
    .join("\n");
