import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";

import { kafkaPackage } from "../../local/packages.ts";

export interface JavaRecord {
  readonly topic: string;
  readonly partition: number;
  readonly codec: string;
  readonly key: string;
  /** Text without a line end. */
  readonly value: string;
}

export interface JavaProducer {
  /** Resolves when all records are acknowledged. Consecutive records with the same codec are one batch. */
  readonly write: (records: readonly JavaRecord[]) => Promise<void>;
  readonly close: () => Promise<void>;
}

const command = "java";

/** Starts Apache Kafka's own producer. Needs a JDK: Java compiles the source file at the start. */
export const startJavaProducer = async (brokers: string): Promise<JavaProducer> => {
  const home = await kafkaPackage(() => {});
  const java = ["-Dorg.slf4j.simpleLogger.defaultLogLevel=error", "-XX:TieredStopAtLevel=1", "-cp", join(home, "*")];
  const child = spawn(command, [...java, join(import.meta.dirname, "java-producer.java"), brokers], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const lines = createInterface(child.stdout);
  const ended = once(child, "exit");
  const failed = ended.then(([code]) => Promise.reject(new Error(`Java's producer has ended with ${String(code)}`)));
  failed.catch(() => {});
  let last: Promise<unknown> = Promise.resolve();
  const write = async (records: readonly JavaRecord[]): Promise<void> => {
    const written = once(lines, "line");
    for (const { topic, partition, codec, key, value } of records)
      child.stdin.write(`${[topic, partition, codec, key, value].join("\t")}\n`);
    child.stdin.write("\n");
    await Promise.race([written, failed]);
  };
  return {
    write: (records) => {
      const turn = last.then(() => write(records));
      last = turn.catch(() => {});
      return turn;
    },
    close: async () => {
      child.stdin.end();
      await ended;
    },
  };
};
