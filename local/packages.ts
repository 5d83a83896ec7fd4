import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

import { checkTools } from "./tools.ts";

export type Log = (line: string) => void;

/** Something fetched once and kept: `fill` writes its files into the folder `content`, with `scratch` for its own use. */
interface Package {
  readonly cache: string;
  /** With the version, so that a new version is fetched anew. */
  readonly folder: string;
  readonly title: string;
  readonly fill: (places: { content: string; scratch: string }) => Promise<void>;
}

const CACHE = join(import.meta.dirname, "..", ".cache");
const POM = join(import.meta.dirname, "pom.xml");
/** Not a newer one: from 3.0 on it wants the registry's parent pom, which Maven Central does not have. */
const MAVEN_PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:2.8";
const REGISTRY = "io.apicurio:apicurio-registry-app:3.0.9:tar.gz:all";
const DEFAULT_KAFKA = "4.1.0";
const run = promisify(execFile);

/** Which Kafka: `KAFKA_VERSION`, or the one that everything is developed against. Refuses what is no version. */
export function kafkaVersion(env: NodeJS.ProcessEnv = process.env): string {
  const version = env["KAFKA_VERSION"]?.trim() || DEFAULT_KAFKA;
  if (/^\d+\.\d+\.\d+$/.test(version)) return version;
  throw new Error(
    `Cannot use KAFKA_VERSION: got '${version}', want a version of Apache Kafka such as '${DEFAULT_KAFKA}'`,
  );
}

/** The folder with the broker's jars. Refuses where Java or Maven is missing. */
export async function kafkaPackage(log: Log): Promise<string> {
  const version = kafkaVersion();
  return ready({
    cache: CACHE,
    folder: `kafka-${version}`,
    title: `Apache Kafka ${version} (45 MB, once)`,
    log,
    fill: ({ content, scratch }) =>
      maven(scratch, [
        "-f",
        POM,
        `${MAVEN_PLUGIN}:copy-dependencies`,
        `-Dkafka.version=${version}`,
        `-DoutputDirectory=${content}`,
      ]),
  });
}

/** The folder with the registry's runner jar. Refuses where Java or Maven is missing. Newer versions need Java 21. */
export function registryPackage(log: Log): Promise<string> {
  return ready({
    cache: CACHE,
    folder: "apicurio-3.0.9",
    title: "Apicurio Registry 3.0.9 (109 MB, once)",
    log,
    fill: ({ content, scratch }) =>
      maven(scratch, [
        `${MAVEN_PLUGIN}:get`,
        `${MAVEN_PLUGIN}:unpack`,
        "-Dtransitive=false",
        `-Dartifact=${REGISTRY}`,
        `-DoutputDirectory=${content}`,
      ]),
  });
}

async function ready(wanted: Package & { log: Log }): Promise<string> {
  const there = existsSync(join(wanted.cache, wanted.folder));
  await checkTools({ maven: !there });
  return fetchOnce(wanted);
}

/**
 * The package's folder, filled first where it is not there yet. The folder is complete or absent, also when the
 * fetching is killed, and any number of runs may fetch at once: the first to end wins.
 */
export async function fetchOnce({ cache, folder, title, fill, log }: Package & { log: Log }): Promise<string> {
  const home = join(cache, folder);
  if (existsSync(home)) return home;
  log(`Fetching ${title} …`);
  await mkdir(cache, { recursive: true });
  const scratch = await mkdtemp(join(cache, "fetch-"));
  try {
    const content = join(scratch, "content");
    await fill({ content, scratch });
    await rename(content, home).catch((error: unknown) => {
      if (!existsSync(home)) throw error;
    });
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
  return home;
}

/** A repository of its own: two Mavens that write into one local repository at once can break each other. */
async function maven(scratch: string, args: readonly string[]): Promise<void> {
  const all = ["-B", "-q", `-Dmaven.repo.local=${join(scratch, "m2")}`, ...args];
  await run("mvn", all, { cwd: scratch }).catch((error: Error & { stdout?: string }) => {
    const reason = /\[ERROR\] (.*)/.exec(error.stdout ?? "")?.[1] ?? error.message;
    throw new Error(`Cannot fetch with Maven: ${reason}`, { cause: error });
  });
}
