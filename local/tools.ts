import { spawn } from "node:child_process";

const JAVA_WANTED = 17;

/** The major version in the output of `java -version`: 8 for "1.8.0_392", 17 for "17.0.15"; undefined if there is none. */
export function javaMajor(printed: string): number | undefined {
  const found = /version "(?:1\.)?(\d+)/.exec(printed)?.[1];
  return found === undefined ? undefined : Number(found);
}

/**
 * A sentence that names the missing tools and the command that installs them; undefined if nothing is missing.
 * `java` and `maven` are the output of `java -version` and `mvn -version`, undefined if the command does not exist.
 */
export function missingTools(printed: { java: string | undefined; maven: string | undefined }): string | undefined {
  const java = javaMajor(printed.java ?? "");
  const missing: string[] = [];
  if (java === undefined) missing.push(`Java ${JAVA_WANTED} or newer`);
  else if (java < JAVA_WANTED) missing.push(`Java ${JAVA_WANTED} or newer (found Java ${java})`);
  if (printed.maven === undefined) missing.push("Maven");
  if (missing.length === 0) return undefined;
  const verb = missing.length === 1 ? "is" : "are";
  return `Cannot start a local Kafka: ${missing.join(" and ")} ${verb} missing; install with 'apt-get install -y openjdk-17-jre-headless maven'`;
}

/** Rejects with the sentence of `missingTools`. Maven is needed only for a download. */
export async function checkTools({ maven }: { maven: boolean }): Promise<void> {
  const [java, mvn] = await Promise.all([versionOutput("java"), maven ? versionOutput("mvn") : ""]);
  const sentence = missingTools({ java, maven: mvn });
  if (sentence !== undefined) throw new Error(sentence);
}

/** The output of the command's `-version` on both streams; undefined if the command cannot be run. */
function versionOutput(command: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const child = spawn(command, ["-version"], { stdio: ["ignore", "pipe", "pipe"] });
    let printed = "";
    const add = (chunk: Buffer): void => void (printed += chunk.toString());
    child.stdout.on("data", add);
    child.stderr.on("data", add);
    child.once("error", () => resolve(undefined));
    child.once("close", (code) => resolve(code === 0 ? printed : undefined));
  });
}
