import { readFile } from "node:fs/promises";

import { Command, Option } from "commander";

import { ConfigError } from "../config/config-error.ts";
import { readProxyFor } from "../config/env/read-config.ts";
import { shippedSchema } from "../config/shipped-schema.ts";
import { toError } from "../core/to-error.ts";
import {
  type SchemaComparison,
  compareWithLatest,
  registerSchema,
  type SubjectSchema,
} from "../decoding/registry/register.ts";
import { createFetch } from "../outbound/fetch.ts";
import { readUserAgent } from "../outbound/user-agent.ts";
import { exitCodes } from "./exit-codes.ts";

interface SchemasFlags {
  readonly subject?: string;
  readonly file: string;
  readonly registry?: string;
}

/** `gainstream schemas`: `register` brings the event schema to the registry, and `check` compares it with the latest one there. */
export function schemasCommand(): Command {
  const schemas = new Command("schemas").description(
    "register the event schema in the schema registry, or compare the two",
  );
  schemas.addCommand(
    withRegistryOptions(new Command("register"), register).description(
      "register the schema; a second run changes nothing",
    ),
  );
  schemas.addCommand(
    withRegistryOptions(new Command("check"), check).description(
      "compare the schema with the latest registered version; exit code 1 if it is incompatible",
    ),
  );
  return schemas;
}

function withRegistryOptions(command: Command, run: (target: SubjectSchema) => Promise<void>): Command {
  return command
    .option("--subject <name>", "the subject in the registry (default: the first of SOURCE_TOPICS, with -value)")
    .addOption(
      new Option("--file <path>", "the file with the Avro schema").default(shippedSchema.path, shippedSchema.text),
    )
    .addOption(new Option("--registry <url>", "the address of the registry").env("SCHEMA_REGISTRY_URL"))
    .action(async (flags: SchemasFlags) => {
      try {
        await run(await schemaTargetOf(flags));
      } catch (error) {
        console.error(toError(error).message);
        process.exitCode = error instanceof ConfigError ? exitCodes.configuration : exitCodes.failed;
      }
    });
}

async function register(target: SubjectSchema): Promise<void> {
  const { subject, id, version } = await registerSchema(target);
  console.log(`Registered: subject ${subject}, id ${id}, version ${version}`);
}

async function check(target: SubjectSchema): Promise<void> {
  const comparison = await compareWithLatest(target);
  console.log(describeComparison(comparison, target.subject));
  if (comparison.kind === "incompatible") process.exitCode = exitCodes.failed;
}

function describeComparison(comparison: SchemaComparison, subject: string): string {
  switch (comparison.kind) {
    case "new":
      return `New: ${subject} has no registered schema`;
    case "same":
      return `Same: the file is version ${comparison.version} of ${subject}`;
    case "compatible":
      return `Compatible: the file can follow version ${comparison.version} of ${subject}`;
    case "incompatible":
      return [`Incompatible with version ${comparison.version} of ${subject}:`, ...comparison.reasons].join("\n  ");
  }
}

async function schemaTargetOf({ subject, file, registry }: SchemasFlags): Promise<SubjectSchema> {
  if (registry === undefined || registry === "") {
    throw new Error(
      "Cannot find the schema registry: got neither --registry nor SCHEMA_REGISTRY_URL, want its address",
    );
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

async function readText(file: string, label: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    throw new Error(`Cannot read ${label}: got ${file}, want a readable file`, { cause: error });
  }
}
