import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { kafkaVersion } from "../../local/packages.ts";
import { type Report, type Round, rowOf, wantedVersions } from "./round.ts";

const projects = ["journeys*", "security", "drill"].map((name) => `--project=${name}`);

const root = join(import.meta.dirname, "..", "..");

const say = (line: string): void => void process.stdout.write(`${line}\n`);

/** Every test that needs a Kafka, against a broker of this version; a cluster that the environment names would be of another. */
const run = async (version: string, folder: string): Promise<Round> => {
  const file = join(folder, `${version}.json`);
  const vitest = join(root, "node_modules", "vitest", "vitest.mjs");
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${file}`];
  const { KAFKA_BROKERS: _, SCHEMA_REGISTRY_URL: __, ...env } = process.env;
  const child = spawn(process.execPath, [vitest, "run", ...projects, ...reporters], {
    cwd: root,
    env: { ...env, KAFKA_VERSION: kafkaVersion({ KAFKA_VERSION: version }) },
    stdio: "inherit",
  });
  const startedAt = performance.now();
  const [code] = (await once(child, "exit")) as [number | null];
  const report = await readFile(file, "utf8").then(
    (text) => JSON.parse(text) as Report,
    // It has not come so far, and has said why.
    () => undefined,
  );
  return { version, seconds: Math.round((performance.now() - startedAt) / 1_000), hasPassed: code === 0, report };
};

/* The journeys against one version of Kafka after the other, and a table of what came of it. */
const folder = await mkdtemp(join(tmpdir(), "gainstream-brokers-"));
try {
  const rounds: Round[] = [];
  for (const version of wantedVersions(process.argv.slice(2))) {
    say(`\n== Apache Kafka ${version}`);
    rounds.push(await run(version, folder));
  }
  say(`\n${rounds.map(rowOf).join("\n")}`);
  if (!rounds.every(({ hasPassed }) => hasPassed)) process.exitCode = 1;
} catch (error) {
  say(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
} finally {
  await rm(folder, { recursive: true });
}
