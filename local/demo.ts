import { Command, CommanderError } from "commander";

import { createCleanupScope, type CleanupScope } from "./demo-scope.ts";
import { runDemo, type DemoResult } from "./demo-show.ts";

const INTERRUPTED = 130;
const USAGE = 64;
const CLEANUP_LIMIT_MS = 10_000;
/** One Ctrl-C can arrive twice: from the terminal, and handed on by npm. */
const SAME_SIGNAL_MS = 1000;

const HELP = `
Starts a Kafka, a schema registry, a stand-in for Gainsight and the service, sends 10,000 events through them while
Gainsight has its troubles, and proves from outside that nothing was lost, repeated or put out of order. Takes about 45 s.

Needs Java 17 and Maven for the Kafka, once also the network. Where KAFKA_BROKERS and SCHEMA_REGISTRY_URL are set, it
uses those instead, with topics of its own that it removes at the end.

Exit codes: 0 every promise was kept, 1 not, 64 wrong usage, 130 stopped by Ctrl-C.`;

const NEXT = `Next: 'npm run demo -- --keep' leaves it running, with its status page.
README.md and docs/ tell the rest.`;

/** What was asked for; undefined where the answer, such as the help, is already printed. */
function readFlags(): { readonly keep: boolean } | undefined {
  const command = new Command("npm run demo --")
    .description("See gainstream at work.")
    .option("--keep", "leave everything running until Ctrl-C, and print the addresses", false)
    .addHelpText("after", HELP)
    .allowExcessArguments(false)
    .exitOverride();
  try {
    return command.parse().opts<{ keep: boolean }>();
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    process.exitCode = error.exitCode === 0 ? 0 : USAGE;
    return undefined;
  }
}

/** Resolves at the first signal; another one, later, ends at once, and the guards clean up. */
function untilInterrupted(): Promise<undefined> {
  return new Promise((resolve) => {
    let first: number | undefined;
    const onSignal = (): void => {
      first ??= Date.now();
      if (Date.now() - first > SAME_SIGNAL_MS) process.exit(INTERRUPTED);
      resolve(undefined);
    };
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, onSignal);
  });
}

async function main({ keep }: { readonly keep: boolean }): Promise<number> {
  const interrupted = untilInterrupted();
  const scope = createCleanupScope();
  try {
    const show = await Promise.race([runDemo({ scope, keep, screen: process.stdout }), interrupted]);
    if (show === undefined) return stopping(scope);
    if (keep) {
      console.log(addressesOf(show));
      await interrupted;
    } else {
      console.log(NEXT);
    }
    return show.isKept ? 0 : 1;
  } catch (error) {
    scope.quiet();
    console.error(error instanceof Error ? error.message : error);
    return 1;
  } finally {
    await scope.end(CLEANUP_LIMIT_MS);
  }
}

function stopping(scope: CleanupScope): number {
  scope.quiet();
  console.log("Stopping …");
  return INTERRUPTED;
}

const addressesOf = ({
  service,
  standin,
  brokers,
  registryUrl,
  source,
  logFile,
}: DemoResult): string => `It all goes on:
  status page     ${service}/
  metrics         ${service}/metrics
  stand-in        ${standin}/
  Kafka           ${brokers}, topic ${source}
  registry        ${registryUrl}
  service's log   ${logFile}
An outage of 10 s:
  curl -X POST ${standin}/standin/faults -d '{"kind":"outage","mode":"503","durationMs":10000}'
README.md and docs/ tell the rest. Ctrl-C stops everything.`;

const flags = readFlags();
if (flags !== undefined) process.exit(await main(flags));
