import { describeVariables } from "./variables.ts";

type Environment = Readonly<Record<string, string | undefined>>;

const ours = /^(?:KAFKA|GAINSIGHT|BREAKER|RETRY|SCHEMA_REGISTRY)_/;

const loopback = /^http:\/\/(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])(?:[:/?]|$)/i;

/** A warning and no mistake: something else may encrypt what leaves the pod. */
export const openTokens = ({ KAFKA_SASL_OAUTH_TOKEN_URL: given = "" }: Environment): string[] => {
  const url = given.trim();
  if (!/^http:/i.test(url) || loopback.test(url)) return [];
  return [
    "KAFKA_SASL_OAUTH_TOKEN_URL is not encrypted: the client secret travels in clear text, want an https:// address",
  ];
};

/**
 * One sentence for each variable that looks like a misspelt one of ours. A warning and no mistake: Kubernetes puts
 * variables such as KAFKA_PORT into every container beside a service of that name.
 */
export const suspiciousVariables = (env: Environment): string[] => {
  const known = describeVariables().map(({ name }) => name);
  return Object.keys(env)
    .filter((name) => ours.test(name) && !known.includes(name))
    .flatMap((name) => {
      const meant = known.find((candidate) => editDistance(name, candidate) <= 2);
      return meant === undefined ? [] : [`Unknown variable ${name} is ignored, did you mean ${meant}`];
    });
};

/** Levenshtein's distance: characters to insert, drop or replace. */
const editDistance = (from: string, to: string): number => {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (const [index, letter] of Array.from(from).entries()) {
    row = nextRow({ row, letter, to, first: index + 1 });
  }
  return row.at(-1) ?? 0;
};

interface RowStep {
  readonly row: readonly number[];
  readonly letter: string;
  readonly to: string;
  readonly first: number;
}

const nextRow = ({ row, letter, to, first }: RowStep): number[] => {
  const next = [first];
  for (const [index, other] of Array.from(to).entries()) {
    const replaced = (row[index] ?? 0) + (letter === other ? 0 : 1);
    next.push(Math.min(replaced, (row[index + 1] ?? 0) + 1, (next[index] ?? 0) + 1));
  }
  return next;
};
