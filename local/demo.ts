import { Command, CommanderError } from "commander";

import { createCleanupScope, type CleanupScope } from "./cleanup-scope.ts";
import { runDemo, type DemoResult } from "./demo-run.ts";

const INTERRUPTED = 130;
const USAGE = 64;
const CLEANUP_LIMIT_MS = 10_000;
/** One Ctrl-C can arrive twice: from the terminal and from npm. */
const SAME_SIGNAL_MS = 1000;

const HELP = `
Starts Kafka, a schema registry, a stand-in for Gainsight and the service. Sends 10,000 events through them while the
stand-in fails and throttles. Then checks, without asking the service, that no event was lost, duplicated or delivered
out of order. Takes about 45 s.

Needs Java 17 and Maven, and the network for the first download of Kafka. If KAFKA_BROKERS and SCHEMA_REGISTRY_URL are
set, the demo uses that cluster instead, with its own topics, and removes them at the end.

Exit codes: 0 every promise was kept, 1 a promise was broken or the demo failed, 64 wrong usage, 130 stopped by Ctrl-C.`;

const NEXT = `Next: 'npm run demo -- --keep' leaves everything running, with its status page.
Read more in README.md and docs/.`;

/** The parsed options; undefined if the help or an error is already printed. */
function readFlags(): { readonly keep: boolean } | undefined {
  const command = new Command("npm run demo --")
    .description("Shows gainstream at work.")
    .option("--keep", "leave everything running until Ctrl-C and print the addresses", false)
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

/** Resolves at the first signal. A second, later one ends the process at once; the process guards clean up. */
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
    const result = await Promise.race([runDemo({ scope, keep, screen: process.stdout }), interrupted]);
    if (result === undefined) return stopping(scope);
    if (keep) {
      console.log(addressesOf(result));
      await interrupted;
    } else {
      console.log(NEXT);
    }
    return result.isKept ? 0 : 1;
  } catch (error) {
    scope.releaseTerminal();
    console.error(error instanceof Error ? error.message : error);
    return 1;
  } finally {
    await scope.end(CLEANUP_LIMIT_MS);
  }
}

function stopping(scope: CleanupScope): number {
  scope.releaseTerminal();
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
}: DemoResult): string => `Everything keeps running:
  status page     ${service}/
  metrics         ${service}/metrics
  stand-in        ${standin}/
  Kafka           ${brokers}, topic ${source}
  registry        ${registryUrl}
  service's log   ${logFile}
Simulate an outage of 10 s:
  curl -X POST ${standin}/standin/faults -d '{"kind":"outage","mode":"503","durationMs":10000}'
Read more in README.md and docs/. Ctrl-C stops everything.`;

const flags = readFlags();
if (flags !== undefined) process.exit(await main(flags));
