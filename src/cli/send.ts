import { Command, Option } from "commander";

import { ConfigError } from "../config/config-error.ts";
import type { Config } from "../config/config.ts";
import { type Environment, readConfig } from "../config/read-config.ts";
import { SchemaFileError } from "../intake/schema-files.ts";
import { handlerOf } from "../settings-in-use.ts";
import { exitCodes } from "./exit-codes.ts";
import { checkAll, sendAll } from "./send-all.ts";
import { eventsOf } from "./send-events.ts";
import { createExplainer } from "./send-explain.ts";
import { sendHelp } from "./send-help.ts";
import { type Input, openInput, textInput } from "./send-input.ts";
import { openSink } from "./send-kafka.ts";
import { createRehearsal, createWriter, wireOf } from "./send-wire.ts";

interface SendFlags {
  readonly event?: string;
  readonly topic?: string;
  readonly invalid?: true;
  readonly dryRun?: true;
  readonly body?: true;
}

interface Task {
  readonly input: Input;
  readonly config: Config;
  readonly flags: SendFlags;
}

/** `gainstream send`: events from a file to the source topic, or with `--dry-run` what the service would do with them. */
export const sendCommand = (): Command =>
  new Command("send")
    .description("send events to the source topic, or explain with --dry-run what the service would do with them")
    .argument("[file]", "events as JSON lines, a JSON array or one JSON object; - for standard input")
    .option("--event <json>", "one event, instead of a file")
    .option("--topic <name>", "where to (default: the first of SOURCE_TOPICS)")
    .option("--invalid", "send events that break Segment's rules as well, to see them in the dead-letter topic")
    .option("--dry-run", "send nothing and connect to nothing: say for each event what the service would do")
    .addOption(new Option("--body", "a dry run that also shows the JSON for Gainsight").implies({ dryRun: true }))
    .addHelpText("after", sendHelp)
    .action(run);

const run = async (file: string | undefined, flags: SendFlags, command: Command): Promise<void> => {
  if ((file === undefined) === (flags.event === undefined))
    command.error("error: want either a file (- for standard input) or --event <json>", { exitCode: exitCodes.usage });
  try {
    const config = readConfig(environment(flags));
    const input = file === undefined ? textInput(flags.event ?? "") : await openInput(file);
    await (flags.dryRun ? rehearse : send)({ input, config, flags });
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    // Where Kafka did not answer, its client goes on trying; nobody waits for it any more.
    process.exit(isAboutConfig(error) ? exitCodes.configuration : exitCodes.failed);
  }
};

const isAboutConfig = (error: unknown): boolean => error instanceof ConfigError || error instanceof SchemaFileError;

/** The environment of `run`. Nothing here talks to Gainsight, and a dry run not to Kafka: what only they need may be missing. */
const environment = ({ dryRun }: SendFlags): Environment => ({
  ...process.env,
  GAINSIGHT_ACCESS_KEY: "00000000-0000-4000-8000-000000000000",
  GAINSIGHT_ACCESS_KEY_FILE: undefined,
  ...(dryRun && { KAFKA_BROKERS: "localhost:9092" }),
});

const send = async ({ input, config, flags }: Task): Promise<void> => {
  const { source } = config.topics;
  const topic = flags.topic ?? source[0] ?? "";
  const wire = wireOf(config.input);
  const say = (line: string): void => console.error(line);
  const { skippedTypes } = config.settings;
  await checkAll(input, { wire, invalid: flags.invalid ?? false, skippedTypes, say });
  const sink = await openSink({ kafka: config.kafka, topic });
  const encode = await createWriter({ input: config.input, topic, say });
  const { count, partitions } = await sendAll(input, { sink, encode, say });
  await sink.close();
  console.log(
    `Sent ${count} ${count === 1 ? "event" : "events"} to topic ${topic} (${wire}), partitions ${partitions}`,
  );
  if (!source.includes(topic))
    say(`Note that SOURCE_TOPICS is ${source.join(",")}: a service with it does not read them`);
};

const rehearse = async ({ input, config, flags }: Task): Promise<void> => {
  // Whoever reads our output may have seen enough, as `head` does.
  process.stdout.once("error", () => process.exit(exitCodes.failed));
  const explainer = createExplainer({
    ...createRehearsal(config.input),
    handle: handlerOf(config.settings),
    body: flags.body ?? false,
    print: (line) => console.log(line),
  });
  for await (const item of eventsOf(input)) explainer.explain(item);
  console.log(explainer.totals());
  if (explainer.unsendable() > 0) process.exitCode = exitCodes.failed;
};
