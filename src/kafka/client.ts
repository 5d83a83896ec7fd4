import { Kafka, type RetryOptions, type logCreator, logLevel } from "kafkajs";

import { toError } from "../core/to-error.ts";
import { patchSession } from "./auth/session-patch.ts";
import { type TlsFiles, createTlsOptions } from "./auth/tls.ts";
import type { LoginMechanism } from "./auth/token-login.ts";
import { registerCodecs } from "./codecs/codecs.ts";
import { explainConnectionError } from "./connection-error.ts";
import { patchNullHeaders } from "./publish/write-null-headers.ts";
import { patchTimer } from "./timer-patch.ts";

export interface KafkaOptions {
  readonly brokers: readonly string[];
  readonly clientId: string;
  readonly tls?: TlsFiles | undefined;
  readonly sasl?: LoginMechanism | undefined;
  readonly logCreator?: logCreator;
  /** The lowest level to log, as kafkajs's number. */
  readonly logLevel?: number;
  /** Receives each error that kafkajs logs, as a sentence, while kafkajs still retries. */
  readonly onConnectionError?: (sentence: string) => void;
  /** How often and how long kafkajs itself retries. */
  readonly retry?: RetryOptions;
}

/**
 * Retries that last longer than a broker's restart, so that the consumer does not crash. With kafkajs's defaults, a broker that is away
 * for 15 s costs three crashes and 20 s.
 */
export const patientRetry = { initialRetryTime: 200, maxRetryTime: 1_000, retries: 100 } as const;

/** For callers that retry themselves and need each error at once. */
export const noRetry = { retries: 0 } as const;

type Logger = ReturnType<logCreator>;

/** Passes on kafkajs's log entries, with its warnings and errors explained. */
const withExplainedErrors =
  (write: Logger, onConnectionError: KafkaOptions["onConnectionError"]): Logger =>
  (entry) => {
    if (entry.level > logLevel.WARN) return write(entry);
    // In place of a message, kafkajs sometimes logs an Error.
    const { message: originalMessage }: { readonly message: unknown } = entry.log;
    const message = explainConnectionError(toError(originalMessage).message);
    if (entry.level === logLevel.ERROR) onConnectionError?.(message);
    return write({ ...entry, log: { ...entry.log, message } });
  };

const warnOfTls = (logger: Logger | undefined, message: string): void =>
  logger?.({
    namespace: "TLS",
    level: logLevel.WARN,
    label: "WARN",
    log: { timestamp: new Date().toISOString(), message },
  });

/** Creates a kafkajs client with all patches and codecs in place. It opens no connection yet. */
export const createKafka = ({ brokers, clientId, tls, sasl, retry = patientRetry, ...log }: KafkaOptions): Kafka => {
  patchNullHeaders();
  patchTimer();
  registerCodecs();
  patchSession();
  const level = log.logLevel ?? logLevel.INFO;
  const logger = log.logCreator && withExplainedErrors(log.logCreator(level), log.onConnectionError);
  const onUnusableFiles = (reason: string): void => warnOfTls(logger, `${reason}; the previous TLS files stay in use`);
  return new Kafka({
    brokers: [...brokers],
    clientId,
    connectionTimeout: 5_000,
    requestTimeout: 30_000,
    retry,
    logLevel: level,
    ...(tls && { ssl: createTlsOptions(tls, onUnusableFiles) }),
    ...(sasl && { sasl }),
    ...(logger && { logCreator: () => logger }),
  });
};

/** Opens a new connection to the cluster and closes it. Rejects if no broker answers. */
export const checkConnection = async (kafka: Kafka): Promise<void> => {
  const admin = kafka.admin();
  try {
    await admin.connect();
  } finally {
    await admin.disconnect();
  }
};
