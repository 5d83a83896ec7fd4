#!/usr/bin/env -S node --max-semi-space-size=8 --heap-growing-percent=130 --no-memory-reducer --no-allocation-site-pretenuring --no-parallel-scavenge
import { Command, CommanderError } from "commander";

import { exitCodes } from "./cli/exit-codes.ts";
import { runCommand } from "./cli/run.ts";
import { schemasCommand } from "./cli/schemas.ts";
import { sendCommand } from "./cli/send.ts";
import { settingsCommand } from "./cli/settings.ts";
import { skipCommand } from "./cli/skip.ts";
import { standinCommand } from "./cli/standin.ts";

const program = new Command("gainstream")
  .description(
    "The self-hosted Segment to Gainsight destination: Kafka in, Gainsight out, nothing lost, every user's events in order",
  )
  .addCommand(runCommand())
  .addCommand(schemasCommand())
  .addCommand(sendCommand())
  .addCommand(settingsCommand())
  .addCommand(skipCommand())
  .addCommand(standinCommand());

/** Commander knows one exit code for every mistake; ours for wrong usage is 64. */
const overrideExits = (command: Command): void => {
  command.exitOverride();
  command.commands.forEach(overrideExits);
};

overrideExits(program);

/** Commander has said its own errors already. */
const exitCodeOf = (error: unknown): number => {
  if (!(error instanceof CommanderError)) {
    console.error(error instanceof Error ? error.message : String(error));
    return exitCodes.failed;
  }
  // `commander.error` is what a command of ours said of itself, with its own code; all others are about the usage.
  const isUsage = error.exitCode !== 0 && error.code !== "commander.error";
  return isUsage ? exitCodes.usage : error.exitCode;
};

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = exitCodeOf(error);
}
