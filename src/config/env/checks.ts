import { quote } from "../config-error.ts";
import type { Problem } from "../config-error.ts";
import { checkSasl } from "./check-sasl.ts";
import { checkTopics } from "./check-topics.ts";
import {
  type Draft,
  checkHasPassword,
  checkPartner,
  checkPassword,
  checkSecret,
  missing,
  canReadOrIsFolder,
  tryRead,
} from "./check-values.ts";
import { filesPath, isAccessKey } from "./kinds.ts";
import type { Values } from "./variables.ts";

/** The mistakes that no variable shows alone: what belongs together, what contradicts, what cannot be read. */
export const checkTogether = (draft: Draft): Problem[] => [
  ...checkTls(draft),
  ...checkSasl(draft),
  ...checkRegistry(draft),
  ...checkAccessKey(draft),
  ...checkProbes(draft.values),
  ...checkTopics(draft.values),
];

const checkTls = (draft: Draft): Problem[] => {
  const files = ["KAFKA_TLS_CA_FILE", "KAFKA_TLS_CERT_FILE", "KAFKA_TLS_KEY_FILE"] as const;
  const given = files.filter((file) => draft.given.has(file));
  if (draft.values.KAFKA_TLS === false && given.length > 0) {
    return [{ variable: "KAFKA_TLS", got: "'false'", want: `'true', because ${given.join(" and ")} is given` }];
  }
  return [
    ...given.flatMap((file) => checkFile(draft, file)),
    ...checkPartner(draft, "KAFKA_TLS_CERT_FILE", "KAFKA_TLS_KEY_FILE"),
    ...checkPartner(draft, "KAFKA_TLS_KEY_FILE", "KAFKA_TLS_CERT_FILE"),
  ];
};

const checkRegistry = (draft: Draft): Problem[] => {
  const { given, values } = draft;
  const password = ["SCHEMA_REGISTRY_PASSWORD", "SCHEMA_REGISTRY_PASSWORD_FILE"] as const;
  const givenPassword = password.find((name) => given.has(name));
  const needsUrl = values.INPUT_FORMAT === "registry" && !given.has("SCHEMA_REGISTRY_URL");
  return [
    ...(needsUrl ? [missing("SCHEMA_REGISTRY_URL", "an address, because INPUT_FORMAT is 'registry'")] : []),
    ...(readsSchemaFile(values) ? checkSchemaFile(draft) : []),
    ...checkPassword(draft, password),
    ...(needsUrl ? [] : checkPartner(draft, "SCHEMA_REGISTRY_USERNAME", "SCHEMA_REGISTRY_URL")),
    ...checkHasPassword(draft, "SCHEMA_REGISTRY_USERNAME", password),
    ...(givenPassword === undefined ? [] : checkPartner(draft, givenPassword, "SCHEMA_REGISTRY_USERNAME")),
  ];
};

const readsSchemaFile = ({ INPUT_FORMAT: format }: Partial<Values>): boolean => format === "avro" || format === "auto";

const checkAccessKey = (draft: Draft): Problem[] => {
  const names = ["GAINSIGHT_ACCESS_KEY", "GAINSIGHT_ACCESS_KEY_FILE"] as const;
  if (!names.some((name) => draft.given.has(name))) {
    return [missing(names[0], `the 36 characters of a Gainsight access key, here or as ${names[1]}`)];
  }
  return checkSecret(draft, names, { isGood: isAccessKey, want: "a file with the 36 characters of an access key" });
};

const checkFile = ({ values, readFile }: Draft, name: FileVariable): Problem[] => {
  const path = values[name];
  if (path === undefined || tryRead(path, readFile) !== undefined) return [];
  return [{ variable: name, got: quote(path), want: "the path of a readable file" }];
};

/** What a folder holds is looked at when it is read. */
const checkSchemaFile = ({ values: { AVRO_SCHEMA_FILE: path }, readFile }: Draft): Problem[] => {
  if (path === undefined || canReadOrIsFolder(path, readFile)) return [];
  return [{ variable: "AVRO_SCHEMA_FILE", got: quote(path), want: filesPath.want }];
};

type FileVariable = "KAFKA_TLS_CA_FILE" | "KAFKA_TLS_CERT_FILE" | "KAFKA_TLS_KEY_FILE";

const checkProbes = ({ BREAKER_PROBE_MIN: min, BREAKER_PROBE_MAX: max }: Partial<Values>): Problem[] =>
  min !== undefined && max !== undefined && min > max
    ? [{ variable: "BREAKER_PROBE_MIN", got: `${min}ms`, want: `at most BREAKER_PROBE_MAX, ${max}ms` }]
    : [];
