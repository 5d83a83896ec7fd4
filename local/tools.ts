import { spawn } from "node:child_process";

const JAVA_WANTED = 17;

/** The major version in what `java -version` prints; undefined where there is none. "1.8.0_392" is 8, "17.0.15" is 17. */
export function javaMajor(printed: string): number | undefined {
  const found = /version "(?:1\.)?(\d+)/.exec(printed)?.[1];
  return found === undefined ? undefined : Number(found);
}

/**
 * One sentence that names what is missing and the command that installs it; undefined when all is there.
 * `java` and `maven` are what `java -version` and `mvn -version` printed, undefined where the command does not exist.
 */
export function missingTools(printed: { java: string | undefined; maven: string | undefined }): string | undefined {
  const java = javaMajor(printed.java ?? "");
  const missing: string[] = [];
  if (java === undefined) missing.push(`Java ${JAVA_WANTED} or newer`);
  else if (java < JAVA_WANTED) missing.push(`Java ${JAVA_WANTED} or newer (found Java ${java})`);
  if (printed.maven === undefined) missing.push("Maven");
  if (missing.length === 0) return undefined;
  return `Missing for a local Kafka: ${missing.join(" and ")}; install with 'apt-get install -y openjdk-17-jre-headless maven'`;
}

/** Refuses with the sentence of `missingTools`. Maven is asked for only where something is still to be fetched. */
export async function checkTools({ maven }: { maven: boolean }): Promise<void> {
  const [java, mvn] = await Promise.all([print("java"), maven ? print("mvn") : ""]);
  const sentence = missingTools({ java, maven: mvn });
  if (sentence !== undefined) throw new Error(sentence);
}

/** What the command's `-version` prints on both streams; undefined where it cannot be run. */
function print(command: string): Promise<string | undefined> {
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
