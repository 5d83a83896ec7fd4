import { z } from "zod";

import { topicNamePattern } from "../../core/topic-name.ts";
import { orText, quote } from "../config-error.ts";
import { parseDuration } from "../duration.ts";

/** A kind of value that a variable takes. */
export interface ValueKind<T> {
  /** Checks the text of a variable and converts it. */
  readonly schema: z.ZodType<T, string>;
  /** For people: the texts that the variable takes. */
  readonly want: string;
  /** How an error shows a wrong text; by default the text in quotes. */
  readonly show?: (text: string) => string;
}

export interface RetryDelaySetting {
  /** The text of the delay in lower case. The name of the retry topic ends with it. */
  readonly delay: string;
  readonly delayMs: number;
}

export const mask = "***";

const topicName = z
  .string()
  .regex(topicNamePattern)
  .refine((name) => name !== "." && name !== "..");

const commaList = z.string().transform((text) => text.split(",").map((part) => part.trim()));

/** Hides the part of a wrong address before an @ and its query, because both may hold credentials. */
export const showAddress = (text: string): string =>
  quote(text.replace(/^.*@/s, `${mask}@`).replace(/[?#].*$/s, `?${mask}`));

// kafkajs splits an address at its colons, so an IPv6 address does not work.
const hostAndPort = z
  .string()
  .regex(/^[A-Za-z0-9._-]+:\d{1,5}$/)
  .refine((text) => isPort(Number(text.slice(text.indexOf(":") + 1))));

const isPort = (port: number): boolean => port >= 1 && port <= 65_535;

export const brokers: ValueKind<readonly string[]> = {
  schema: commaList.pipe(z.array(hostAndPort)),
  want: "host:port, comma-separated, such as 'kafka-1:9092,kafka-2:9092'",
  show: showAddress,
};

export const asciiWord: ValueKind<string> = {
  schema: z.string().regex(/^[\x21-\x7e]{1,249}$/),
  want: "at most 249 visible ASCII characters without spaces",
};

export const anyText: ValueKind<string> = { schema: z.string(), want: "text" };

export const filePath: ValueKind<string> = { schema: z.string(), want: "the path of a readable file" };

export const fileOrFolderPath: ValueKind<string> = { ...filePath, want: "the path of a readable file or of a folder" };

/** Shows only a text that looks like a path: someone may have set the secret itself by mistake. */
export const showPath = (path: string): string => (/^[./~]/.test(path) ? quote(path) : mask);

export const secretPath: ValueKind<string> = { ...filePath, show: showPath };

export const secret: ValueKind<string> = { schema: z.string(), want: "text", show: () => mask };

const accessKeyPattern = /^[\x21-\x7e]{36}$/;
export const isAccessKey = (key: string): boolean => accessKeyPattern.test(key);

export const accessKey: ValueKind<string> = {
  schema: z.string().regex(accessKeyPattern),
  want: "the 36 characters of a Gainsight access key",
  show: () => mask,
};

export const booleanText: ValueKind<boolean> = { schema: z.stringbool(), want: "'true' or 'false'" };

export const topic: ValueKind<string> = {
  schema: topicName,
  want: "a topic name of at most 249 letters, digits, '.', '_' and '-'",
};

export const topics: ValueKind<readonly string[]> = {
  schema: commaList.pipe(z.array(topicName)),
  want: "topic names of at most 249 letters, digits, '.', '_' and '-', comma-separated",
};

/** A base address; its value has no trailing slashes. */
export const url: ValueKind<string> = {
  schema: z
    .string()
    .refine(isPlainUrl)
    .transform((address) => address.replace(/\/+$/, "")),
  want: "an http:// or https:// address without credentials or query",
  show: showAddress,
};

/** An unchanged address. It may have a query, which some token servers need. */
export const tokenUrl: ValueKind<string> = {
  schema: z.string().refine((address) => !address.includes("#") && isPlainUrl(address.replace(/\?.*$/s, ""))),
  want: "an http:// or https:// address without credentials",
  show: showAddress,
};

const nameValuePattern = /^[A-Za-z]+=[\x21-\x2b\x2d-\x7e]+$/;

/** SASL extensions for OAUTHBEARER. They must not use the name `auth`: https://www.rfc-editor.org/rfc/rfc7628 */
export const saslExtensions: ValueKind<Readonly<Record<string, string>>> = {
  schema: commaList
    .pipe(z.array(z.string().regex(nameValuePattern)))
    .transform((pairs) => Object.fromEntries(pairs.map(splitPair)))
    .refine((extensions) => !("auth" in extensions)),
  want: "name=value, comma-separated, such as 'logicalCluster=lkc-1,identityPoolId=pool-1'",
};

const splitPair = (pair: string): [string, string] => {
  const [name = ""] = pair.split("=", 1);
  return [name, pair.slice(name.length + 1)];
};

export const awsRegion: ValueKind<string> = {
  schema: z.string().regex(/^[a-z]{2,4}(?:-[a-z]+)+-\d{1,2}$/),
  want: "the name of an AWS region, such as 'eu-central-1'",
};

function isPlainUrl(address: string): boolean {
  if (!URL.canParse(address) || /[\s?#@]/.test(address)) return false;
  const { protocol } = new URL(address);
  return protocol === "http:" || protocol === "https:";
}

export const oneOf = <const T extends string>(values: readonly [T, ...T[]], hint = ""): ValueKind<T> => ({
  schema: z.string().toLowerCase().pipe(z.enum(values)),
  want: orText(values.map((value) => `'${value}'`)) + hint,
});

export const integer = (min: number, max: number): ValueKind<number> => ({
  schema: z
    .string()
    .regex(/^\d{1,15}$/)
    .transform(Number)
    .refine((value) => value >= min && value <= max),
  want: `a whole number from ${min} to ${max}`,
});

/** A duration, converted to milliseconds. The limits are durations as text. */
export const duration = (min: string, max: string, hint = ""): ValueKind<number> => ({
  schema: z
    .string()
    .transform(parseDuration)
    .pipe(z.number().min(durationMs(min)).max(durationMs(max))),
  want: `a duration from ${min} to ${max}, such as '500ms', '30s' or '1h30m'${hint}`,
});

const durationMs = (limit: string): number => parseDuration(limit) ?? Number.NaN;

const isAscending = (delays: readonly RetryDelaySetting[]): boolean =>
  delays.every(({ delayMs }, index) => delayMs > (delays[index - 1]?.delayMs ?? 0));

export const retryDelays: ValueKind<readonly RetryDelaySetting[]> = {
  schema: commaList
    .transform((parts) => parts.map((part) => ({ delay: part.toLowerCase(), delayMs: parseDuration(part) })))
    .pipe(z.array(z.object({ delay: z.string(), delayMs: z.number().max(durationMs("24h")) })).max(8))
    .refine(isAscending),
  want: "1 to 8 ascending durations of at most 24h, such as '30s,5m,30m'",
};

export const unavailableValue: ValueKind<undefined> = {
  schema: z
    .string()
    .refine(() => false)
    .transform(() => undefined),
  want: "nothing, because this version does not support it",
};
