import { z } from "zod";

import { quote } from "../config-error.ts";
import { parseDuration } from "../duration.ts";

/** What a variable takes: how its text is read, how that is said to people, and how a wrong text may be shown. */
export interface Kind<T> {
  readonly schema: z.ZodType<T, string>;
  readonly want: string;
  readonly show?: (text: string) => string;
}

export interface RetryDelay {
  /** As given, in lower case: the end of the tier's topic name. */
  readonly delay: string;
  readonly delayMs: number;
}

export const mask = "***";

// Kafka's own rule for topic names.
const topicName = z
  .string()
  .regex(/^[A-Za-z0-9._-]{1,249}$/)
  .refine((name) => name !== "." && name !== "..");

const commaList = z.string().transform((text) => text.split(",").map((part) => part.trim()));

/** Credentials sit before an @ or in a query, so neither part of a wrong address is ever shown. */
export const showAddress = (text: string): string =>
  quote(text.replace(/^.*@/s, `${mask}@`).replace(/[?#].*$/s, `?${mask}`));

// kafkajs splits an address at its colon, so an IPv6 address cannot be given.
const hostAndPort = z
  .string()
  .regex(/^[A-Za-z0-9._-]+:\d{1,5}$/)
  .refine((text) => isPort(Number(text.slice(text.indexOf(":") + 1))));

const isPort = (port: number): boolean => port >= 1 && port <= 65_535;

export const brokers: Kind<readonly string[]> = {
  schema: commaList.pipe(z.array(hostAndPort)),
  want: "host:port, comma-separated, such as 'kafka-1:9092,kafka-2:9092'",
  show: showAddress,
};

export const word: Kind<string> = {
  schema: z.string().regex(/^[\x21-\x7e]{1,249}$/),
  want: "at most 249 visible ASCII characters without blanks",
};

export const text: Kind<string> = { schema: z.string(), want: "text" };

export const filePath: Kind<string> = { schema: z.string(), want: "the path of a readable file" };

export const filesPath: Kind<string> = { ...filePath, want: "the path of a readable file, or of a folder" };

/** Shown only when it looks like a path: a secret put here by mistake must not be logged. */
export const showPath = (path: string): string => (/^[./~]/.test(path) ? quote(path) : mask);

export const secretPath: Kind<string> = { ...filePath, show: showPath };

export const secret: Kind<string> = { schema: z.string(), want: "text", show: () => mask };

const accessKeyPattern = /^[\x21-\x7e]{36}$/;
export const isAccessKey = (key: string): boolean => accessKeyPattern.test(key);

export const accessKey: Kind<string> = {
  schema: z.string().regex(accessKeyPattern),
  want: "the 36 characters of a Gainsight access key",
  show: () => mask,
};

export const flag: Kind<boolean> = { schema: z.stringbool(), want: "'true' or 'false'" };

export const topic: Kind<string> = {
  schema: topicName,
  want: "a topic name of at most 249 letters, digits, '.', '_' and '-'",
};

export const topics: Kind<readonly string[]> = {
  schema: commaList.pipe(z.array(topicName)),
  want: "topic names of at most 249 letters, digits, '.', '_' and '-', comma-separated",
};

/** A base address, given back without slashes at its end. */
export const url: Kind<string> = {
  schema: z
    .string()
    .refine(isPlainUrl)
    .transform((address) => address.replace(/\/+$/, "")),
  want: "an http:// or https:// address without credentials or query",
  show: showAddress,
};

/** An address as it is given, with its query if it has one: a token server may ask for that. */
export const tokenUrl: Kind<string> = {
  schema: z.string().refine((address) => !address.includes("#") && isPlainUrl(address.replace(/\?.*$/s, ""))),
  want: "an http:// or https:// address without credentials",
  show: showAddress,
};

const namedValues = /^[A-Za-z]+=[\x21-\x2b\x2d-\x7e]+$/;

/** Pairs that a broker takes beside a token. RFC 7628 keeps the name `auth` to itself. */
export const saslExtensions: Kind<Readonly<Record<string, string>>> = {
  schema: commaList
    .pipe(z.array(z.string().regex(namedValues)))
    .transform((pairs) => Object.fromEntries(pairs.map(splitPair)))
    .refine((extensions) => !("auth" in extensions)),
  want: "name=value, comma-separated, such as 'logicalCluster=lkc-1,identityPoolId=pool-1'",
};

const splitPair = (pair: string): [string, string] => {
  const [name = ""] = pair.split("=", 1);
  return [name, pair.slice(name.length + 1)];
};

export const awsRegion: Kind<string> = {
  schema: z.string().regex(/^[a-z]{2,4}(?:-[a-z]+)+-\d{1,2}$/),
  want: "the name of an AWS region, such as 'eu-central-1'",
};

function isPlainUrl(address: string): boolean {
  if (!URL.canParse(address) || /[\s?#@]/.test(address)) return false;
  const { protocol } = new URL(address);
  return protocol === "http:" || protocol === "https:";
}

export const oneOf = <const T extends string>(values: readonly [T, ...T[]], hint = ""): Kind<T> => ({
  schema: z.string().toLowerCase().pipe(z.enum(values)),
  want: values.map((value) => `'${value}'`).join(" or ") + hint,
});

export const integer = (min: number, max: number): Kind<number> => ({
  schema: z
    .string()
    .regex(/^\d{1,15}$/)
    .transform(Number)
    .refine((value) => value >= min && value <= max),
  want: `a whole number from ${min} to ${max}`,
});

/** Milliseconds; the limits are given as durations too. */
export const duration = (min: string, max: string, hint = ""): Kind<number> => ({
  schema: z
    .string()
    .transform(parseDuration)
    .pipe(z.number().min(limitMs(min)).max(limitMs(max))),
  want: `a duration from ${min} to ${max}, such as '500ms', '30s' or '1h30m'${hint}`,
});

const limitMs = (limit: string): number => parseDuration(limit) ?? Number.NaN;

const isAscending = (delays: readonly RetryDelay[]): boolean =>
  delays.every(({ delayMs }, index) => delayMs > (delays[index - 1]?.delayMs ?? 0));

export const retryDelays: Kind<readonly RetryDelay[]> = {
  schema: commaList
    .transform((parts) => parts.map((part) => ({ delay: part.toLowerCase(), delayMs: parseDuration(part) })))
    .pipe(z.array(z.object({ delay: z.string(), delayMs: z.number().max(limitMs("24h")) })).max(8))
    .refine(isAscending),
  want: "1 to 8 ascending durations of at most 24h, such as '30s,5m,30m'",
};

/** In the contract, but of a later version. */
export const unavailable: Kind<undefined> = {
  schema: z
    .string()
    .refine(() => false)
    .transform(() => undefined),
  want: "nothing: it is not available in this version; remove it",
};
