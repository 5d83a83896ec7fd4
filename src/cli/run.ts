import { Command } from "commander";

import { ConfigError } from "../config/config-error.ts";
import type { Config } from "../config/config.ts";
import { readConfig } from "../config/env/read-config.ts";
import { openTokens, suspiciousVariables } from "../config/env/suspicious.ts";
import { SchemaFileError } from "../decoding/bare-avro/schema-files.ts";
import { type Log, createLog } from "../ops/log.ts";
import { createApp } from "../service/compose.ts";
import { startService } from "../service/lifecycle.ts";
import { exitCodes } from "./exit-codes.ts";
import { variablesHelp } from "./variables-help.ts";

const loadConfig = (): Config | undefined => {
  try {
    return readConfig(process.env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    console.error(error.message);
    process.exitCode = exitCodes.configuration;
    return undefined;
  }
};

const exitOnSignals = (stop: () => Promise<void>, log: Log): void => {
  let isStopping = false;
  const onSignal = (signal: NodeJS.Signals): void => {
    if (isStopping) {
      log.warn({ signal }, "A second signal: ending at once");
      process.exit(exitCodes.failed);
    }
    isStopping = true;
    log.info({ signal }, "Shutting down: ending the calls in flight, then committing");
    stop().then(
      () => {
        log.info("Stopped");
        process.exit(exitCodes.done);
      },
      (error: unknown) => {
        log.fatal({ err: error }, "Could not stop in order");
        process.exit(exitCodes.failed);
      },
    );
  };
  process.on("SIGTERM", onSignal);
  process.on("SIGINT", onSignal);
};

/** Ends the process with one line in the log, also by what nobody has caught: Node's own words are many lines, and no JSON. */
const createOnFatal = (log: Log): ((error: unknown) => void) => {
  const onFatal = (error: unknown): void => {
    log.fatal({ err: error }, error instanceof Error ? error.message : String(error));
    process.exit(exitCodes.failed);
  };
  // Rejections that nobody handles come here as well.
  process.on("uncaughtException", onFatal);
  return onFatal;
};

const run = async (): Promise<void> => {
  const config = loadConfig();
  if (!config) return;
  const log = createLog({ level: config.logLevel });
  const onFatal = createOnFatal(log);
  for (const warning of [...suspiciousVariables(process.env), ...openTokens(process.env)]) log.warn(warning);
  try {
    const service = await startService(createApp({ config, log, onFatal }), onFatal);
    const { route, proxy } = config.gainsight;
    log.info({ url: service.url, route, proxy: proxy?.origin, sources: config.topics.source }, "Started");
    exitOnSignals(service.stop, log);
  } catch (error) {
    if (!(error instanceof SchemaFileError)) return onFatal(error);
    console.error(error.message);
    process.exit(exitCodes.configuration);
  }
};

/** `gainstream run`: the service itself, configured by the environment. */
export const runCommand = (): Command =>
  new Command("run")
    .description("run the service: read the source topics, deliver to Gainsight, until SIGTERM")
    .addHelpText("after", () => `\nEnvironment:\n${variablesHelp()}`)
    .action(run);
