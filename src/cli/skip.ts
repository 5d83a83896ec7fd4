import { Command, InvalidArgumentError } from "commander";

import { ConfigError } from "../config/config-error.ts";
import { readConfig } from "../config/env/read-config.ts";
import { type Skip, allowSkip, skipGroupOf } from "../intake/skip-requests.ts";
import { ClusterAdmin } from "../kafka/admin.ts";
import { explainRefusal, groupRight, principalOf, topicRight } from "../kafka/topics/refusals.ts";
import { connectKafka } from "./connect-kafka.ts";
import { exitCodes } from "./exit-codes.ts";

const timeoutMs = 20_000;

const help = `
The service waits at a batch that it cannot read: its bytes are corrupt, or nobody knows its compression. It says so in its log and
in /readyz, with this command and its numbers. The records of that batch are lost; whatever can be read is never skipped. Run it with
the environment of the service, which may go on running and follows within seconds:

  kubectl exec deploy/gainstream -- node dist/main.js skip --topic segment-events --partition 3 --to-offset 20
`;

const asCount = (text: string): number => {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError("want a whole number");
  return Number(text);
};

/** `gainstream skip`: an operator's word that what cannot be read of a partition may be skipped. */
export const skipCommand = (): Command =>
  new Command("skip")
    .description("let the service skip offsets of a partition that it cannot read")
    .requiredOption("--topic <name>", "the topic")
    .requiredOption("--partition <number>", "the partition", asCount)
    .requiredOption("--to-offset <offset>", "the first offset that is not to be skipped", asCount)
    .addHelpText("after", help)
    .action(run);

const run = async (skip: Skip): Promise<void> => {
  try {
    const { topic, partition, toOffset } = skip;
    await allow(skip);
    console.log(
      `What cannot be read of partition ${partition} of ${topic} below offset ${toOffset} is skipped within seconds`,
    );
    process.exit(exitCodes.done);
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    // Where Kafka did not answer, its client goes on trying; nobody waits for it any more.
    process.exit(error instanceof ConfigError ? exitCodes.configuration : exitCodes.failed);
  }
};

/** Only Kafka is talked to: what is for Gainsight may be missing. */
const allow = async (skip: Skip): Promise<void> => {
  const { kafka: config } = readConfig({
    ...process.env,
    GAINSIGHT_ACCESS_KEY: "00000000-0000-4000-8000-000000000000",
    GAINSIGHT_ACCESS_KEY_FILE: undefined,
  });
  const { kafka, lastError } = connectKafka(config);
  const admin = new ClusterAdmin(kafka);
  const late = Promise.withResolvers<never>();
  const tooLate = (): void =>
    late.reject(new Error(`Cannot reach Kafka at ${config.brokers.join(",")}: ${lastError()}`));
  setTimeout(tooLate, timeoutMs).unref();
  const needs = [topicRight("Read", skip.topic), groupRight("Read", skipGroupOf(config.groupId))];
  try {
    await Promise.race([admin.connect().then(() => allowSkip(admin, config.groupId, skip)), late.promise]);
  } catch (error) {
    const sentence = explainRefusal(error, needs, principalOf(config));
    throw sentence === undefined ? error : new Error(sentence, { cause: error });
  }
  await admin.close();
};
