import type { Log } from "./log.ts";

/** What kafkajs hands to its `logCreator`, in our own words: this room does not know kafkajs. */
export interface KafkaLogEntry {
  readonly namespace: string;
  readonly level: number;
  readonly log: { readonly message: string; readonly [field: string]: unknown };
}

export interface KafkaLog {
  /** kafkajs's number for the least level that is worth making. */
  readonly logLevel: number;
  readonly logCreator: () => (entry: KafkaLogEntry) => void;
}

type Level = "error" | "warn" | "info" | "debug";

// kafkajs: NOTHING 0, ERROR 1, WARN 2, INFO 4, DEBUG 5.
const levels: Readonly<Record<number, Level>> = { 1: "error", 2: "warn", 4: "info", 5: "debug" };

const logLevels: Readonly<Record<string, number>> = { silent: 0, fatal: 1, error: 1, warn: 2, info: 4 };

// Only these fields are passed on: others may be a stack trace, a response or a record's bytes.
const fields = (
  "groupId memberId broker clientId topic partition offset error " +
  "retryCount retryTime correlationId size duration isLeader generationId"
).split(" ");

/** Settings for `new Kafka({ ...createKafkaLog(log) })`: what kafkajs says becomes lines of our own log. */
export const createKafkaLog = (log: Log): KafkaLog => ({
  logLevel: logLevels[log.level] ?? 5,
  logCreator: () => (entry) => {
    const level = judge(entry);
    if (level === undefined || !log.isLevelEnabled(level)) return;
    log[level]({ kafka: entry.namespace, ...pickFields(entry.log) }, entry.log.message.slice(0, 500));
  },
});

/** Who reports passing trouble, as answers do: kafkajs tries again by itself, and says so separately when it gives up. */
const passing = new Set(["Connection", "BrokerPool"]);

const judge = ({ namespace, level, log: { message, error } }: KafkaLogEntry): Level | undefined => {
  // Back-pressure and waiting tiers pause and resume all the time.
  if (/^(?:Pausing|Resuming) fetching/.test(message)) return "debug";
  // A rebalance is everyday life: kafkajs reports the broker's answer as an error and its own joining as a warning.
  const isResponse = message.startsWith("Response ");
  if (isResponse && String(error).includes("rebalancing")) return "debug";
  if (message.startsWith("The group is rebalancing")) return "info";
  return (isResponse || passing.has(namespace)) && levels[level] === "error" ? "warn" : levels[level];
};

const pickFields = (log: KafkaLogEntry["log"]): Record<string, string | number | boolean> => {
  const picked: Record<string, string | number | boolean> = {};
  for (const field of fields) {
    const value = log[field];
    if (typeof value === "string") picked[field] = value.slice(0, 500);
    if (typeof value === "number" || typeof value === "boolean") picked[field] = value;
  }
  return picked;
};
