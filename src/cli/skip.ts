import { Command, InvalidArgumentError } from "commander";

import { ConfigError } from "../config/config-error.ts";
import { readConfig } from "../config/env/read-config.ts";
import { toError } from "../core/to-error.ts";
import { type SkipRequest, requestSkip, skipGroupOf } from "../intake/skip-requests.ts";
import { ClusterAdmin } from "../kafka/admin.ts";
import { explainAuthorizationError } from "../kafka/rights/missing-right.ts";
import { groupRight, principalOf, topicRight } from "../kafka/rights/rights.ts";
import { connectKafka } from "./connect-kafka.ts";
import { exitCodes } from "./exit-codes.ts";
import { kafkaEnvironment } from "./kafka-environment.ts";
import { withTimeout } from "./with-timeout.ts";

const timeoutMs = 20_000;

const skipHelp = `
If a batch is corrupt, or its compression is unknown, the service cannot read it and waits. Its log and /readyz then show
this command with the right numbers. The records of that batch are lost; the service skips no record that it can read.
Run the command with the environment of the service. The service may keep running and follows within seconds:

  kubectl exec deploy/gainstream -- node dist/main.js skip --topic segment-events --partition 3 --to-offset 20
`;

const parseWholeNumber = (text: string): number => {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError("Want a whole number.");
  return Number(text);
};

/** `gainstream skip`: an operator lets the service skip the unreadable records of a partition. */
export const skipCommand = (): Command =>
  new Command("skip")
    .description("let the service skip records of a partition that it cannot read")
    .requiredOption("--topic <name>", "the topic")
    .requiredOption("--partition <number>", "the partition", parseWholeNumber)
    .requiredOption("--to-offset <offset>", "the first offset that the service does not skip", parseWholeNumber)
    .addHelpText("after", skipHelp)
    .action(run);

const run = async (skip: SkipRequest): Promise<void> => {
  try {
    const { topic, partition, toOffset } = skip;
    await connectAndRequestSkip(skip);
    console.log(
      `Within seconds the service skips the unreadable records of ${topic}, partition ${partition}, below offset ${toOffset}`,
    );
    process.exit(exitCodes.done);
  } catch (error) {
    console.error(toError(error).message);
    // kafkajs keeps trying to connect, and nobody waits for that any more.
    process.exit(error instanceof ConfigError ? exitCodes.configuration : exitCodes.failed);
  }
};

const connectAndRequestSkip = async (skip: SkipRequest): Promise<void> => {
  const { kafka: config } = readConfig(kafkaEnvironment());
  const { kafka, lastError } = connectKafka(config);
  const admin = new ClusterAdmin(kafka);
  const requiredRights = [topicRight("Read", skip.topic), groupRight("Read", skipGroupOf(config.groupId))];
  const requesting = admin.connect().then(() => requestSkip(admin, config.groupId, skip));
  try {
    await withTimeout(requesting, timeoutMs, () => `Cannot reach Kafka at ${config.brokers.join(",")}: ${lastError()}`);
  } catch (error) {
    const sentence = explainAuthorizationError(error, requiredRights, principalOf(config));
    throw sentence === undefined ? error : new Error(sentence, { cause: error });
  }
  await admin.close();
};
