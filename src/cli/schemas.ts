import { readFile } from "node:fs/promises";

import { Command, Option } from "commander";

import { ConfigError } from "../config/config-error.ts";
import { readProxyFor } from "../config/env/read-config.ts";
import { shippedSchema } from "../config/shipped-schema.ts";
import {
  type Comparison,
  compareSchema,
  registerSchema,
  type SchemaUnderSubject,
} from "../decoding/registry/register.ts";
import { createFetch } from "../outbound/fetch.ts";
import { readUserAgent } from "../outbound/user-agent.ts";
import { exitCodes } from "./exit-codes.ts";

interface SchemasFlags {
  readonly subject?: string;
  readonly file: string;
  readonly registry?: string;
}

/** `gainstream schemas register` and `check`: the contract at the front door, brought to the registry and compared with it. */
export function schemasCommand(): Command {
  const schemas = new Command("schemas").description("register the event schema, or check it against the registry");
  schemas.addCommand(
    withFlags(new Command("register"), register).description("register the schema; doing it twice changes nothing"),
  );
  schemas.addCommand(
    withFlags(new Command("check"), check).description(
      "compare the schema with the newest one registered; exit 1 if incompatible",
    ),
  );
  return schemas;
}

function withFlags(command: Command, run: (target: SchemaUnderSubject) => Promise<void>): Command {
  return command
    .option("--subject <name>", "subject in the registry (default: the first of SOURCE_TOPICS, then -value)")
    .addOption(new Option("--file <path>", "the Avro schema").default(shippedSchema.path, shippedSchema.inWords))
    .addOption(new Option("--registry <url>", "address of the registry").env("SCHEMA_REGISTRY_URL"))
    .action(async (flags: SchemasFlags) => {
      try {
        await run(await targetOf(flags));
      } catch (error) {
        console.error(error instanceof Error ? error.message : String(error));
        process.exitCode = error instanceof ConfigError ? exitCodes.configuration : exitCodes.failed;
      }
    });
}

async function register(target: SchemaUnderSubject): Promise<void> {
  const { subject, id, version } = await registerSchema(target);
  console.log(`Registered: subject ${subject}, id ${id}, version ${version}`);
}

async function check(target: SchemaUnderSubject): Promise<void> {
  const comparison = await compareSchema(target);
  console.log(describe(comparison, target.subject));
  if (comparison.kind === "incompatible") process.exitCode = 1;
}

function describe(comparison: Comparison, subject: string): string {
  switch (comparison.kind) {
    case "new":
      return `New: nothing is registered under ${subject}`;
    case "same":
      return `Same: the file is version ${comparison.version} of ${subject}`;
    case "compatible":
      return `Compatible: the file may follow version ${comparison.version} of ${subject}`;
    case "incompatible":
      return [`Incompatible with version ${comparison.version} of ${subject}:`, ...comparison.reasons].join("\n  ");
  }
}

async function targetOf({ subject, file, registry }: SchemasFlags): Promise<SchemaUnderSubject> {
  if (registry === undefined || registry === "") {
    throw new Error("Cannot find the schema registry: got no --registry and no SCHEMA_REGISTRY_URL, want its address");
  }
  const [topic] = (process.env["SOURCE_TOPICS"] || "segment-events").split(",");
  const username = process.env["SCHEMA_REGISTRY_USERNAME"];
  const password = await readPassword();
  return {
    url: registry,
    fetch: createFetch({ proxy: readProxyFor(process.env, registry), userAgent: readUserAgent() }),
    subject: subject ?? `${topic?.trim()}-value`,
    schema: await readText(file, "the schema"),
    ...(username ? { username } : {}),
    ...(password ? { password } : {}),
  };
}

async function readPassword(): Promise<string | undefined> {
  const file = process.env["SCHEMA_REGISTRY_PASSWORD_FILE"];
  if (!file) return process.env["SCHEMA_REGISTRY_PASSWORD"];
  return (await readText(file, "SCHEMA_REGISTRY_PASSWORD_FILE")).trim();
}

async function readText(file: string, what: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    throw new Error(`Cannot read ${what}: got ${file}, want a file that can be read`, { cause: error });
  }
}
