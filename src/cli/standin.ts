import { readFileSync } from "node:fs";

import { Command, InvalidArgumentError, Option } from "commander";

import { toError } from "../core/to-error.ts";
import { routeList } from "../standin/route-list.ts";
import { createStandin, type Standin } from "../standin/standin.ts";
import { exitCodes } from "./exit-codes.ts";

interface StandinFlags {
  readonly host: string;
  readonly port: number;
  readonly accessKey: string;
  readonly accessKeyFile?: string;
}

// It opens nothing but this stand-in, so it may be printed.
const demoAccessKey = "00000000-0000-4000-8000-000000000000";

const parsePort = (text: string): number => {
  const port = /^\d+$/.test(text) ? Number(text) : -1;
  if (port >= 0 && port <= 65_535) return port;
  throw new InvalidArgumentError("Want a whole number from 0 (any free port) to 65535.");
};

const readKey = ({ accessKey, accessKeyFile }: StandinFlags): string => {
  const key = accessKeyFile === undefined ? accessKey : readFileSync(accessKeyFile, "utf8").trim();
  if (key === "") throw new Error("Cannot use the access key: got an empty text, want the key that clients must send");
  return key;
};

const explain = (error: unknown, { host, port }: StandinFlags): string => {
  if (error instanceof Error && "code" in error && error.code === "EADDRINUSE") {
    return `Cannot listen on ${host}:${port}: the port is in use; choose another with --port, or a free one with --port 0`;
  }
  return toError(error).message;
};

const greeting = ({ url }: Standin, shownKey: string): string => `A stand-in for Gainsight listens on ${url}
Clients must send the header accessKey: ${shownKey}

${routeList}
To start an outage of ten seconds:
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
    console.log(greeting(standin, accessKey === demoAccessKey ? demoAccessKey : "(your key)"));
    await untilStopped();
    await standin.close();
  } catch (error) {
    command.error(explain(error, flags), { exitCode: exitCodes.failed });
  }
};

/** `gainstream standin`: runs a stand-in for Gainsight until SIGINT or SIGTERM. Exit code 1 if it cannot start. */
export const standinCommand = (): Command =>
  new Command("standin")
    .description("run a stand-in for Gainsight, with faults on demand")
    .option("--host <address>", "the address to listen on", "127.0.0.1")
    .option("--port <number>", "the port to listen on; 0 selects a free port", parsePort, 8085)
    .option("--access-key <key>", "the access key that clients must send", demoAccessKey)
    .addOption(new Option("--access-key-file <path>", "a file with the access key").conflicts("accessKey"))
    .action((flags: StandinFlags, command: Command) => runStandin(flags, command));
