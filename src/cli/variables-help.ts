import { describeVariables } from "../config/env/variables.ts";

/** The environment variables for `--help`, two lines for each. */
export const variablesHelp = (): string =>
  describeVariables()
    .map(({ name, default: fallback, description }) => `  ${name}${presence(fallback)}\n      ${description}`)
    .join("\n");

const presence = (fallback: string): string => {
  if (fallback === "none") return "";
  return fallback === "required" ? " (required)" : ` (default: ${fallback})`;
};
