import { Command, Option } from "commander";

import { ConfigError } from "../config/config-error.ts";
import type { Config } from "../config/config.ts";
import { type Environment, readConfig } from "../config/env/read-config.ts";
import { toError } from "../core/to-error.ts";
import { SchemaFileError } from "../decoding/bare-avro/schema-files.ts";
import { createDecideFor, createPiiRemoverFor } from "../service/live-settings.ts";
import { exitCodes } from "./exit-codes.ts";
import { kafkaEnvironment } from "./kafka-environment.ts";
import { checkAll, sendAll } from "./send-all.ts";
import { eventsOf } from "./send-events.ts";
import { createExplainer } from "./send-explain.ts";
import { sendHelp } from "./send-help.ts";
import { type Source, openSources, inputOf } from "./send-input.ts";
import { openSink } from "./send-kafka.ts";
import { createReport } from "./send-report.ts";
import { createDryRunCodec, createTopicEncoder, wireFormatOf } from "./send-wire.ts";

interface SendFlags {
  readonly event?: string;
  readonly topic?: string;
  readonly invalid?: true;
  readonly dryRun?: true;
  readonly body?: true;
}

interface SendTask {
  readonly sources: readonly Source[];
  readonly config: Config;
  readonly flags: SendFlags;
}

/** `gainstream send`: sends events to a source topic, or with `--dry-run` prints what the service would do with them. */
export const sendCommand = (): Command =>
  new Command("send")
    .description("send events to a source topic, or print with --dry-run what the service would do with them")
    .argument("[files...]", "files of JSON lines, of a JSON array or of one JSON object; - reads standard input")
    .option("--event <json>", "one event instead of files")
    .option("--topic <name>", "the topic to send to (default: the first of SOURCE_TOPICS)")
    .option("--invalid", "also send events that break Segment's rules, to see them in the dead-letter topic")
    .option("--dry-run", "send nothing and connect to nothing; print what the service would do with each event")
    .addOption(new Option("--body", "a dry run that also prints the JSON for Gainsight").implies({ dryRun: true }))
    .addHelpText("after", sendHelp)
    .action(run);

const run = async (files: readonly string[], flags: SendFlags, command: Command): Promise<void> => {
  const { event } = flags;
  if ((files.length === 0) === (event === undefined))
    command.error("error: name files (- reads standard input) or use --event <json>", { exitCode: exitCodes.usage });
  try {
    const config = readConfig(sendEnvironment(flags));
    const sources = event === undefined ? await openSources(files) : [{ name: "--event", input: inputOf(event) }];
    await (flags.dryRun ? explainEvents : send)({ sources, config, flags });
  } catch (error) {
    console.error(toError(error).message);
    // kafkajs keeps trying to connect, and nobody waits for that any more.
    process.exit(isAboutConfig(error) ? exitCodes.configuration : exitCodes.failed);
  }
};

const isAboutConfig = (error: unknown): boolean => error instanceof ConfigError || error instanceof SchemaFileError;

/** A dry run does not call Kafka, so KAFKA_BROKERS may be missing. */
const sendEnvironment = ({ dryRun }: SendFlags): Environment => ({
  ...kafkaEnvironment(),
  ...(dryRun && { KAFKA_BROKERS: "localhost:9092" }),
});

const send = async ({ sources, config, flags }: SendTask): Promise<void> => {
  const { source } = config.topics;
  const topic = flags.topic ?? source[0] ?? "";
  const wireFormat = wireFormatOf(config.input);
  const print = (line: string): void => console.error(line);
  const { skippedTypes } = config.settings;
  await checkAll(sources, { wireFormat, invalid: flags.invalid ?? false, skippedTypes, print });
  const sink = await openSink({ kafka: config.kafka, topic });
  const encode = await createTopicEncoder({ input: config.input, topic, print });
  const { count, partitions } = await sendAll(sources, { sink, wireFormat, encode, print });
  await sink.close();
  console.log(
    `Sent ${count} ${count === 1 ? "event" : "events"} to topic ${topic} (${wireFormat}), partitions ${partitions}`,
  );
  if (!source.includes(topic))
    print(
      `Warning: SOURCE_TOPICS is ${source.join(",")}, so a service with this environment does not read topic ${topic}`,
    );
};

const explainEvents = async ({ sources, config, flags }: SendTask): Promise<void> => {
  // The reader of standard output may close it early, as `head` does.
  process.stdout.once("error", () => process.exit(exitCodes.failed));
  const report = createReport({ body: flags.body ?? false, print: (line) => console.log(line) });
  const explain = createExplainer({
    wireFormat: wireFormatOf(config.input),
    ...createDryRunCodec(config.input),
    decide: createDecideFor(config.settings),
    withoutPii: createPiiRemoverFor(config.settings),
  });
  for (const source of sources) {
    if (sources.length > 1) report.heading(source.name);
    for await (const item of eventsOf([source])) report.showEvent(explain(item));
  }
  report.totals();
  if (report.unsendable() > 0) process.exitCode = exitCodes.failed;
};
