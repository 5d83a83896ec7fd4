import type { Log } from "./log.ts";

/** The entry that kafkajs passes to its `logCreator`. Declared here, because ops does not import kafkajs. */
export interface KafkaLogEntry {
  readonly namespace: string;
  readonly level: number;
  readonly log: { readonly message: string; readonly [field: string]: unknown };
}

export interface KafkaLog {
  /** The number of kafkajs for the lowest level that is logged. */
  readonly logLevel: number;
  readonly logCreator: () => (entry: KafkaLogEntry) => void;
}

type Level = "error" | "warn" | "info" | "debug";

// https://github.com/tulios/kafkajs/blob/v2.2.4/src/loggers/index.js: NOTHING 0, ERROR 1, WARN 2, INFO 4, DEBUG 5.
const levels: Readonly<Record<number, Level>> = { 1: "error", 2: "warn", 4: "info", 5: "debug" };

const logLevels: Readonly<Record<string, number>> = { silent: 0, fatal: 1, error: 1, warn: 2, info: 4 };

// Only these fields are logged: others may be a stack trace, a response or the bytes of a record.
const loggedFields = (
  "groupId memberId broker clientId topic partition offset error " +
  "retryCount retryTime correlationId size duration isLeader generationId"
).split(" ");

/** Options for `new Kafka({ ...createKafkaLog(log) })`: kafkajs logs to our log, with `fixedLevel` for every line if it is given. */
export const createKafkaLog = (log: Log, fixedLevel?: Level): KafkaLog => ({
  logLevel: logLevels[log.level] ?? 5,
  logCreator: () => (entry) => {
    const level = fixedLevel ?? levelOf(entry);
    if (level === undefined || !log.isLevelEnabled(level)) return;
    log[level]({ kafka: entry.namespace, ...pickFields(entry.log) }, entry.log.message.slice(0, 500));
  },
});

/** These log errors that kafkajs retries by itself. It logs separately when it gives up. */
const transientNamespaces = new Set(["Connection", "BrokerPool"]);

/** Normal events that kafkajs logs as warnings or errors, by the message or the broker's response, each with the level it deserves. */
const knownMessages: readonly (readonly [RegExp, Level])[] = [
  // Back-pressure and retry delays pause and resume partitions all the time.
  [/^(?:Pausing|Resuming) fetching/, "debug"],
  [/rebalancing, so a rejoin is needed/, "debug"],
  [/^The group is rebalancing, re-joining/, "info"],
  // A missing right is logged once, with the command that grants it, and not for every request.
  [/not authorized to access|authorization failed/i, "debug"],
  // The response to a new member that probes whether it may join.
  [/^The coordinator is not aware of this member$/, "debug"],
  // A leader or coordinator moves, or a topic or group is new.
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
