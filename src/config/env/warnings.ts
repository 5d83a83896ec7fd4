import type { Environment } from "./read-config.ts";
import { describeVariables } from "./variables.ts";

const ownPrefixes = /^(?:KAFKA|GAINSIGHT|BREAKER|RETRY|SCHEMA_REGISTRY)_/;

const loopback = /^http:\/\/(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])(?:[:/?]|$)/i;

/** Sentences about variables that are probably wrong, but do not stop the service. */
export const environmentWarnings = (env: Environment): readonly string[] => [
  ...unknownVariableWarnings(env),
  ...tokenUrlWarnings(env),
];

/** No mistake: a service mesh may encrypt the connection. */
const tokenUrlWarnings = ({ KAFKA_SASL_OAUTH_TOKEN_URL: value = "" }: Environment): string[] => {
  const url = value.trim();
  if (!/^http:/i.test(url) || loopback.test(url)) return [];
  return [
    "KAFKA_SASL_OAUTH_TOKEN_URL is an http:// address, so the client secret is not encrypted; use an https:// address",
  ];
};

/**
 * One sentence for each name that looks like a misspelt name of ours. No mistake: for a service named `kafka`, Kubernetes
 * sets variables such as KAFKA_PORT in every container.
 */
const unknownVariableWarnings = (env: Environment): string[] => {
  const known = describeVariables().map(({ name }) => name);
  return Object.keys(env)
    .filter((name) => ownPrefixes.test(name) && !known.includes(name))
    .flatMap((name) => {
      const suggestion = known.find((candidate) => editDistance(name, candidate) <= 2);
      return suggestion === undefined ? [] : [`Ignoring the unknown variable ${name}; did you mean ${suggestion}?`];
    });
};

/** The Levenshtein distance: how many characters to insert, drop or replace. */
const editDistance = (from: string, to: string): number => {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (const [index, letter] of Array.from(from).entries()) {
    row = nextRow({ row, letter, to, first: index + 1 });
  }
  return row.at(-1) ?? 0;
};

interface DistanceRow {
  readonly row: readonly number[];
  readonly letter: string;
  readonly to: string;
  readonly first: number;
}

const nextRow = ({ row, letter, to, first }: DistanceRow): number[] => {
  const next = [first];
  for (const [index, other] of Array.from(to).entries()) {
    const replaced = (row[index] ?? 0) + (letter === other ? 0 : 1);
    next.push(Math.min(replaced, (row[index + 1] ?? 0) + 1, (next[index] ?? 0) + 1));
  }
  return next;
};
