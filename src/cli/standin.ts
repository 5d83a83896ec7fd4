import { readFileSync } from "node:fs";

import { Command, InvalidArgumentError, Option } from "commander";

import { routeList } from "../standin/route-list.ts";
import { createStandin, type Standin } from "../standin/standin.ts";

interface StandinFlags {
  readonly host: string;
  readonly port: number;
  readonly accessKey: string;
  readonly accessKeyFile?: string;
}

// A toy key: it opens nothing but this stand-in, so it may be printed.
const demoAccessKey = "00000000-0000-4000-8000-000000000000";

const parsePort = (text: string): number => {
  const port = /^\d+$/.test(text) ? Number(text) : -1;
  if (port >= 0 && port <= 65_535) return port;
  throw new InvalidArgumentError("Want a whole number from 0 (any free port) to 65535.");
};

const readKey = ({ accessKey, accessKeyFile }: StandinFlags): string => {
  const key = accessKeyFile === undefined ? accessKey : readFileSync(accessKeyFile, "utf8").trim();
  if (key === "") throw new Error("Cannot use the access key: got an empty one, want the text that clients must send");
  return key;
};

const explain = (error: unknown, { host, port }: StandinFlags): string => {
  if (!(error instanceof Error)) return String(error);
  if ("code" in error && error.code === "EADDRINUSE") {
    return `Cannot listen on ${host}:${port}: something else does; take another with --port, or any free one with --port 0`;
  }
  return error.message;
};

const greeting = ({ url }: Standin, shownKey: string): string => `A Gainsight to try against listens on ${url}
Any client must send the header accessKey: ${shownKey}

${routeList}
An outage of ten seconds:
  curl -X POST ${url}/standin/faults -d '{"kind":"outage","mode":"503","durationMs":10000}'

Stop with Ctrl-C.`;

const untilStopped = (): Promise<void> =>
  new Promise((resolve) => {
    process.once("SIGINT", () => resolve());
    process.once("SIGTERM", () => resolve());
  });

const runStandin = async (flags: StandinFlags, command: Command): Promise<void> => {
  try {
    const { host, port } = flags;
    const accessKey = readKey(flags);
    const standin = await createStandin({ host, port, accessKey });
    console.log(greeting(standin, accessKey === demoAccessKey ? demoAccessKey : "(the one given)"));
    await untilStopped();
    await standin.close();
  } catch (error) {
    command.error(explain(error, flags), { exitCode: 1 });
  }
};

/** `gainstream standin`: runs the stand-in until SIGINT or SIGTERM; exit 1 where it cannot start. */
export const standinCommand = (): Command =>
  new Command("standin")
    .description("run a Gainsight to try against, with faults on demand")
    .option("--host <address>", "where to listen", "127.0.0.1")
    .option("--port <number>", "0 for any free one", parsePort, 8085)
    .option("--access-key <key>", "the one key that is accepted", demoAccessKey)
    .addOption(new Option("--access-key-file <path>", "a file that holds the key").conflicts("accessKey"))
    .action((flags: StandinFlags, command: Command) => runStandin(flags, command));
