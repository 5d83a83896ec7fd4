import { readFileSync } from "node:fs";

import { Command } from "commander";

import { ConfigError } from "../config/config-error.ts";
import { settingsJsonSchema } from "../config/settings/json-schema.ts";
import { readSettingsFile } from "../config/settings/settings.ts";
import { exitCodes } from "./exit-codes.ts";

const check = (file: string | undefined, _flags: object, command: Command): void => {
  if (file === undefined)
    command.error("error: want the settings file, as an argument or in SETTINGS_FILE", { exitCode: exitCodes.usage });
  try {
    readSettingsFile(file, (path) => readFileSync(path, "utf8"));
    console.log(`${file} is a settings file as it should be`);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    console.error(error.message);
    process.exitCode = exitCodes.configuration;
  }
};

/** `gainstream settings check` and `schema`: is a settings file right, and how do editors know. */
export const settingsCommand = (): Command =>
  new Command("settings")
    .description("check a settings file, or print its JSON Schema")
    .addCommand(
      new Command("check")
        .description("say every mistake in a settings file; exit 78 if there is one")
        .argument("[file]", "the file (default: SETTINGS_FILE)", process.env["SETTINGS_FILE"])
        .action(check),
    )
    .addCommand(
      new Command("schema")
        .description("print the JSON Schema of the settings file, for editors")
        .action(() => console.log(JSON.stringify(settingsJsonSchema(), undefined, 2))),
    );
