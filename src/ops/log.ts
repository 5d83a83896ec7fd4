import { type DestinationStream, type Logger, pino } from "pino";

export type Log = Logger;

export interface LogOptions {
  readonly level: "trace" | "debug" | "info" | "warn" | "error" | "fatal" | "silent";
  readonly name?: string;
  /** Standard output if absent. */
  readonly destination?: DestinationStream;
}

// A safety net: no code logs secrets. It covers two levels, which is as deep as our log lines are.
const secretNames = ["accessKey", "accesskey", "password", "authorization", "Authorization", "secret", "token", "sasl"];
const redact = { paths: secretNames.flatMap((name) => [name, `*.${name}`]), censor: "***" };

/** Logs one JSON object per line, with the time in ISO 8601 and the level by name. Errors are logged with type, code, message, stack and cause only. */
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

// The error of a library may contain a request or a record, so only known fields are logged.
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
