import { Command, Option } from "commander";

import { ConfigError } from "../config/config-error.ts";
import type { Config } from "../config/config.ts";
import { type Environment, readConfig } from "../config/env/read-config.ts";
import { SchemaFileError } from "../decoding/bare-avro/schema-files.ts";
import { handlerOf, piiRemoverOf } from "../service/live-settings.ts";
import { exitCodes } from "./exit-codes.ts";
import { checkAll, sendAll } from "./send-all.ts";
import { eventsOf } from "./send-events.ts";
import { createExplainer } from "./send-explain.ts";
import { sendHelp } from "./send-help.ts";
import { type Source, openSources, textInput } from "./send-input.ts";
import { openSink } from "./send-kafka.ts";
import { createReport } from "./send-report.ts";
import { createRehearsal, createWriter, wireOf } from "./send-wire.ts";

interface SendFlags {
  readonly event?: string;
  readonly topic?: string;
  readonly invalid?: true;
  readonly dryRun?: true;
  readonly body?: true;
}

interface Task {
  readonly sources: readonly Source[];
  readonly config: Config;
  readonly flags: SendFlags;
}

/** `gainstream send`: events from files to the source topic, or with `--dry-run` what the service would do with them. */
export const sendCommand = (): Command =>
  new Command("send")
    .description("send events to the source topic, or explain with --dry-run what the service would do with them")
    .argument("[files...]", "events as JSON lines, a JSON array or one JSON object; - for standard input")
    .option("--event <json>", "one event, instead of files")
    .option("--topic <name>", "where to (default: the first of SOURCE_TOPICS)")
    .option("--invalid", "send events that break Segment's rules as well, to see them in the dead-letter topic")
    .option("--dry-run", "send nothing and connect to nothing: say for each event what the service would do")
    .addOption(new Option("--body", "a dry run that also shows the JSON for Gainsight").implies({ dryRun: true }))
    .addHelpText("after", sendHelp)
    .action(run);

const run = async (files: readonly string[], flags: SendFlags, command: Command): Promise<void> => {
  const { event } = flags;
  if ((files.length === 0) === (event === undefined))
    command.error("error: want either files (- for standard input) or --event <json>", { exitCode: exitCodes.usage });
  try {
    const config = readConfig(environment(flags));
    const sources = event === undefined ? await openSources(files) : [{ name: "--event", input: textInput(event) }];
    await (flags.dryRun ? rehearse : send)({ sources, config, flags });
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

const send = async ({ sources, config, flags }: Task): Promise<void> => {
  const { source } = config.topics;
  const topic = flags.topic ?? source[0] ?? "";
  const wire = wireOf(config.input);
  const say = (line: string): void => console.error(line);
  const { skippedTypes } = config.settings;
  await checkAll(sources, { wire, invalid: flags.invalid ?? false, skippedTypes, say });
  const sink = await openSink({ kafka: config.kafka, topic });
  const encode = await createWriter({ input: config.input, topic, say });
  const { count, partitions } = await sendAll(sources, { sink, wire, encode, say });
  await sink.close();
  console.log(
    `Sent ${count} ${count === 1 ? "event" : "events"} to topic ${topic} (${wire}), partitions ${partitions}`,
  );
  if (!source.includes(topic))
    say(`Note that SOURCE_TOPICS is ${source.join(",")}: a service with it does not read them`);
};

const rehearse = async ({ sources, config, flags }: Task): Promise<void> => {
  // Whoever reads our output may have seen enough, as `head` does.
  process.stdout.once("error", () => process.exit(exitCodes.failed));
  const report = createReport({ body: flags.body ?? false, print: (line) => console.log(line) });
  const explain = createExplainer({
    wire: wireOf(config.input),
    ...createRehearsal(config.input),
    handle: handlerOf(config.settings),
    withoutPii: piiRemoverOf(config.settings),
  });
  for (const source of sources) {
    if (sources.length > 1) report.heading(source.name);
    for await (const item of eventsOf([source])) report.show(explain(item));
  }
  report.totals();
  if (report.unsendable() > 0) process.exitCode = exitCodes.failed;
};
