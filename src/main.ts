#!/usr/bin/env -S node --max-semi-space-size=8 --heap-growing-percent=130 --no-memory-reducer --no-allocation-site-pretenuring --no-parallel-scavenge
import { Command, CommanderError } from "commander";

import { exitCodes } from "./cli/exit-codes.ts";
import { runCommand } from "./cli/run.ts";
import { schemasCommand } from "./cli/schemas.ts";
import { sendCommand } from "./cli/send.ts";
import { settingsCommand } from "./cli/settings.ts";
import { skipCommand } from "./cli/skip.ts";
import { standinCommand } from "./cli/standin.ts";
import { toError } from "./core/to-error.ts";

const program = new Command("gainstream")
  .description(
    "Delivers Segment events from Kafka to Gainsight. Nothing is lost, and every user's events arrive in order",
  )
  .addCommand(runCommand())
  .addCommand(schemasCommand())
  .addCommand(sendCommand())
  .addCommand(settingsCommand())
  .addCommand(skipCommand())
  .addCommand(standinCommand());

/** Lets commander throw instead of exiting, so that wrong usage ends with our exit code. */
const overrideExits = (command: Command): void => {
  command.exitOverride();
  command.commands.forEach(overrideExits);
};

overrideExits(program);

/** Prints the error, unless commander has printed it. */
const exitCodeOf = (error: unknown): number => {
  if (!(error instanceof CommanderError)) {
    console.error(toError(error).message);
    return exitCodes.failed;
  }
  // `commander.error` comes from a command of ours, with its own exit code. All other errors are about wrong usage.
  const isUsage = error.exitCode !== 0 && error.code !== "commander.error";
  return isUsage ? exitCodes.usage : error.exitCode;
};

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = exitCodeOf(error);
}
