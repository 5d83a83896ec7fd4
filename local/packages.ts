import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

import { checkTools } from "./tools.ts";

export type Log = (line: string) => void;

/** A package that is downloaded once and kept. `fill` writes its files into `content` and may use `scratch`. */
interface Package {
  readonly cache: string;
  /** Contains the version, so that a new version is downloaded again. */
  readonly folder: string;
  readonly title: string;
  readonly fill: (folders: { content: string; scratch: string }) => Promise<void>;
}

const CACHE = join(import.meta.dirname, "..", ".cache");
const POM = join(import.meta.dirname, "pom.xml");
/** From 3.0 on the plugin needs the registry's parent POM, which Maven Central does not have. */
const MAVEN_PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:2.8";
const REGISTRY = "io.apicurio:apicurio-registry-app:3.0.9:tar.gz:all";
const DEFAULT_KAFKA = "4.1.0";
const run = promisify(execFile);

/** The Kafka version to run: KAFKA_VERSION, or the default. Throws if KAFKA_VERSION is no version. */
export function kafkaVersion(env: NodeJS.ProcessEnv = process.env): string {
  const version = env["KAFKA_VERSION"]?.trim() || DEFAULT_KAFKA;
  if (/^\d+\.\d+\.\d+$/.test(version)) return version;
  throw new Error(
    `Cannot use KAFKA_VERSION: got '${version}', want a version of Apache Kafka such as '${DEFAULT_KAFKA}'`,
  );
}

/** The folder with the broker's jars. Rejects if Java or Maven is missing. */
export async function kafkaPackage(log: Log): Promise<string> {
  const version = kafkaVersion();
  return ensurePackage({
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

/** The folder with the registry's runner jar. Rejects if Java or Maven is missing. Newer versions need Java 21. */
export function registryPackage(log: Log): Promise<string> {
  return ensurePackage({
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

async function ensurePackage(wanted: Package & { log: Log }): Promise<string> {
  const isCached = existsSync(join(wanted.cache, wanted.folder));
  await checkTools({ maven: !isCached });
  return fetchOnce(wanted);
}

/**
 * The package's folder; downloads the package first if the folder does not exist. The folder is complete or absent, even
 * if a download is killed. Several processes may download at once: the first to finish wins.
 */
export async function fetchOnce({ cache, folder, title, fill, log }: Package & { log: Log }): Promise<string> {
  const home = join(cache, folder);
  if (existsSync(home)) return home;
  log(`Downloading ${title} …`);
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

/** Each run uses its own Maven repository: two runs that write to one repository at once can break it. */
async function maven(scratch: string, args: readonly string[]): Promise<void> {
  const all = ["-B", "-q", `-Dmaven.repo.local=${join(scratch, "m2")}`, ...args];
  await run("mvn", all, { cwd: scratch }).catch((error: Error & { stdout?: string }) => {
    const reason = /\[ERROR\] (.*)/.exec(error.stdout ?? "")?.[1] ?? error.message;
    throw new Error(`Cannot download with Maven: ${reason}`, { cause: error });
  });
}
