import { pino } from "pino";
import type { DestinationStream, Logger } from "pino";

export type Log = Logger;

export interface LogOptions {
  readonly level: "trace" | "debug" | "info" | "warn" | "error" | "fatal" | "silent";
  readonly name?: string;
  /** Where the lines go; standard output when absent. */
  readonly destination?: DestinationStream;
}

// A net below the rule that nobody logs secrets; it holds for two levels only, which is as deep as our lines go.
const secretNames = ["accessKey", "accesskey", "password", "authorization", "Authorization", "secret", "token", "sasl"];
const redact = { paths: secretNames.flatMap((name) => [name, `*.${name}`]), censor: "***" };

/** One JSON object per line: ISO time, level by name. Errors show type, code, message, stack and cause, never their other fields. */
export const createLog = ({ level, name, destination }: LogOptions): Log =>
  pino(
    {
      level,
      base: name === undefined ? null : { name },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: describeError, error: describeError },
      redact,
    },
    destination ?? pino.destination({ dest: 1, sync: true }),
  );

interface ErrorDescription {
  readonly type: string;
  readonly message?: string;
  readonly code?: unknown;
  readonly stack?: string | undefined;
  readonly cause?: ErrorDescription;
}

// A library's error may carry a request or a record in a field of its own, so only known fields are taken.
const describeError = (error: unknown): ErrorDescription | string => {
  if (typeof error === "string") return error;
  return error instanceof Error ? describeErrorChain(error, 0) : { type: typeof error };
};

const describeErrorChain = (error: Error, depth: number): ErrorDescription => ({
  type: error.name,
  message: error.message,
  ...("code" in error ? { code: error.code } : {}),
  ...(depth === 0 ? { stack: error.stack } : {}),
  ...(error.cause instanceof Error && depth < 3 ? { cause: describeErrorChain(error.cause, depth + 1) } : {}),
});
