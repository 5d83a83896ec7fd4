import { Kafka, Partitioners, type Producer, type RetryOptions, type logCreator, logLevel } from "kafkajs";

import { patchSession } from "./auth/session-patch.ts";
import { type TlsFiles, createTls } from "./auth/tls.ts";
import type { LoginMechanism } from "./auth/token-login.ts";
import { registerCodecs } from "./codecs/codecs.ts";
import { explainTrouble } from "./connection-error.ts";
import { patchNullHeaders } from "./publish/write-null-headers.ts";
import { patchTimer } from "./timer-patch.ts";

export interface KafkaOptions {
  readonly brokers: readonly string[];
  readonly clientId: string;
  readonly tls?: TlsFiles | undefined;
  readonly sasl?: LoginMechanism | undefined;
  readonly logCreator?: logCreator;
  /** kafkajs's number for the least level to make. */
  readonly logLevel?: number;
  /** Is told of errors as they come, before kafkajs gives up trying. */
  readonly onTrouble?: (sentence: string) => void;
  /** How long kafkajs tries by itself. */
  readonly retry?: RetryOptions;
}

/**
 * Retries that outlast a broker's restart without a crash of the consumer: with kafkajs's own defaults a broker that is
 * gone for 15 s costs three crashes and 20 s.
 */
export const patientRetry = { initialRetryTime: 200, maxRetryTime: 1_000, retries: 100 } as const;

/** For those who try again themselves and have to know at once what a request failed of. */
export const noRetry = { retries: 0 } as const;

type Logger = ReturnType<logCreator>;

/** Hands kafkajs's words on, with those of trouble made plain. */
const explain =
  (write: Logger, onTrouble: KafkaOptions["onTrouble"]): Logger =>
  (entry) => {
    if (entry.level > logLevel.WARN) return write(entry);
    // kafkajs also logs errors in the place of messages.
    const { message: given }: { readonly message: unknown } = entry.log;
    const message = explainTrouble(given instanceof Error ? given.message : String(given));
    if (entry.level === logLevel.ERROR) onTrouble?.(message);
    return write({ ...entry, log: { ...entry.log, message } });
  };

const warn = (logger: Logger | undefined, message: string): void =>
  logger?.({
    namespace: "TLS",
    level: logLevel.WARN,
    label: "WARN",
    log: { timestamp: new Date().toISOString(), message },
  });

/** A connection to the brokers. Opens nothing yet. */
export const createKafka = ({ brokers, clientId, tls, sasl, retry = patientRetry, ...log }: KafkaOptions): Kafka => {
  patchNullHeaders();
  patchTimer();
  registerCodecs();
  patchSession();
  const level = log.logLevel ?? logLevel.INFO;
  const logger = log.logCreator && explain(log.logCreator(level), log.onTrouble);
  const onUnusable = (why: string): void => warn(logger, `${why}; connecting with what was there before`);
  return new Kafka({
    brokers: [...brokers],
    clientId,
    connectionTimeout: 5_000,
    requestTimeout: 30_000,
    retry,
    logLevel: level,
    ...(tls && { ssl: createTls(tls, onUnusable) }),
    ...(sasl && { sasl }),
    ...(logger && { logCreator: () => logger }),
  });
};

/** Opens a new connection, which a broker has to answer, and closes it. Rejects if none does. */
export const knock = async (kafka: Kafka): Promise<void> => {
  const admin = kafka.admin();
  try {
    await admin.connect();
  } finally {
    await admin.disconnect();
  }
};

/** A producer that makes no topics. Connects to nothing yet. */
export const createProducer = (kafka: Kafka): Producer =>
  kafka.producer({
    allowAutoTopicCreation: false,
    createPartitioner: Partitioners.DefaultPartitioner,
  });
