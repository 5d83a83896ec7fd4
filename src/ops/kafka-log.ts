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
const loggedFields = (
  "groupId memberId broker clientId topic partition offset error " +
  "retryCount retryTime correlationId size duration isLeader generationId"
).split(" ");

/**
 * Settings for `new Kafka({ ...createKafkaLog(log) })`: what kafkajs says becomes lines of our own log, all of one level if it is
 * given.
 */
export const createKafkaLog = (log: Log, fixedLevel?: Level): KafkaLog => ({
  logLevel: logLevels[log.level] ?? 5,
  logCreator: () => (entry) => {
    const level = fixedLevel ?? levelOf(entry);
    if (level === undefined || !log.isLevelEnabled(level)) return;
    log[level]({ kafka: entry.namespace, ...pickFields(entry.log) }, entry.log.message.slice(0, 500));
  },
});

/** Who reports passing trouble, as answers do: kafkajs tries again by itself, and says so separately when it gives up. */
const transientNamespaces = new Set(["Connection", "BrokerPool"]);

/** What kafkajs says of everyday life, in messages or in brokers' answers, often as a warning or an error. */
const knownMessages: readonly (readonly [RegExp, Level])[] = [
  // Back-pressure and waiting tiers pause and resume all the time.
  [/^(?:Pausing|Resuming) fetching/, "debug"],
  [/rebalancing, so a rejoin is needed/, "debug"],
  [/^The group is rebalancing, re-joining/, "info"],
  // A missing right is told once, with the command that grants it, and not for each request.
  [/not authorized to access|authorization failed/i, "debug"],
  // So the group answers a stranger that asks whether it may take part.
  [/^The coordinator is not aware of this member$/, "debug"],
  // A leader or a coordinator moves, a topic or a group is new.
  [/not the leader for that|coordinator is not available/, "info"],
];

const levelOf = ({ namespace, level, log: { message, error } }: KafkaLogEntry): Level | undefined => {
  const isResponse = message.startsWith("Response ");
  const text = isResponse ? String(error) : message;
  const knownMessage = knownMessages.find(([pattern]) => pattern.test(text));
  if (knownMessage) return knownMessage[1];
  return (isResponse || transientNamespaces.has(namespace)) && levels[level] === "error" ? "warn" : levels[level];
};

const pickFields = (log: KafkaLogEntry["log"]): Record<string, string | number | boolean> => {
  const picked: Record<string, string | number | boolean> = {};
  for (const field of loggedFields) {
    const value = log[field];
    if (typeof value === "string") picked[field] = value.slice(0, 500);
    if (typeof value === "number" || typeof value === "boolean") picked[field] = value;
  }
  return picked;
};
