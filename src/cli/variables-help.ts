import { describeVariables } from "../config/env/variables.ts";

/** The environment variables for `--help`, two lines for each. */
export const variablesHelp = (): string =>
  describeVariables()
    .map((variable) => `  ${variable.name} (${variable.default})\n      ${variable.description}`)
    .join("\n");
