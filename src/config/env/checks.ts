import { quote } from "../config-error.ts";
import type { Problem } from "../config-error.ts";
import { checkSasl } from "./check-sasl.ts";
import { checkTopics } from "./check-topics.ts";
import {
  type EnvironmentDraft,
  checkRequiresSecret,
  checkRequires,
  checkSecretNotEmpty,
  checkSecret,
  missingProblem,
  isReadableFileOrFolder,
  tryReadFile,
} from "./check-values.ts";
import { fileOrFolderPath, isAccessKey } from "./kinds.ts";
import type { Values } from "./variables.ts";

/** The mistakes that no variable shows alone: what belongs together, what contradicts, what cannot be read. */
export const checkCombinations = (draft: EnvironmentDraft): Problem[] => [
  ...checkTls(draft),
  ...checkSasl(draft),
  ...checkRegistry(draft),
  ...checkAccessKey(draft),
  ...checkProbePauses(draft.values),
  ...checkTopics(draft.values),
];

const checkTls = (draft: EnvironmentDraft): Problem[] => {
  const files = ["KAFKA_TLS_CA_FILE", "KAFKA_TLS_CERT_FILE", "KAFKA_TLS_KEY_FILE"] as const;
  const given = files.filter((file) => draft.setNames.has(file));
  if (draft.values.KAFKA_TLS === false && given.length > 0) {
    return [{ variable: "KAFKA_TLS", got: "'false'", want: `'true', because ${given.join(" and ")} is given` }];
  }
  return [
    ...given.flatMap((file) => checkFile(draft, file)),
    ...checkRequires(draft, "KAFKA_TLS_CERT_FILE", "KAFKA_TLS_KEY_FILE"),
    ...checkRequires(draft, "KAFKA_TLS_KEY_FILE", "KAFKA_TLS_CERT_FILE"),
  ];
};

const checkRegistry = (draft: EnvironmentDraft): Problem[] => {
  const { setNames: given, values } = draft;
  const password = ["SCHEMA_REGISTRY_PASSWORD", "SCHEMA_REGISTRY_PASSWORD_FILE"] as const;
  const givenPassword = password.find((name) => given.has(name));
  const needsUrl = values.INPUT_FORMAT === "registry" && !given.has("SCHEMA_REGISTRY_URL");
  return [
    ...(needsUrl ? [missingProblem("SCHEMA_REGISTRY_URL", "an address, because INPUT_FORMAT is 'registry'")] : []),
    ...(needsSchemaFile(values) ? checkSchemaFile(draft) : []),
    ...checkSecretNotEmpty(draft, password),
    ...(needsUrl ? [] : checkRequires(draft, "SCHEMA_REGISTRY_USERNAME", "SCHEMA_REGISTRY_URL")),
    ...checkRequiresSecret(draft, "SCHEMA_REGISTRY_USERNAME", password),
    ...(givenPassword === undefined ? [] : checkRequires(draft, givenPassword, "SCHEMA_REGISTRY_USERNAME")),
  ];
};

const needsSchemaFile = ({ INPUT_FORMAT: format }: Partial<Values>): boolean => format === "avro" || format === "auto";

const checkAccessKey = (draft: EnvironmentDraft): Problem[] => {
  const names = ["GAINSIGHT_ACCESS_KEY", "GAINSIGHT_ACCESS_KEY_FILE"] as const;
  if (!names.some((name) => draft.setNames.has(name))) {
    return [missingProblem(names[0], `the 36 characters of a Gainsight access key, here or as ${names[1]}`)];
  }
  return checkSecret(draft, names, { isValid: isAccessKey, want: "a file with the 36 characters of an access key" });
};

const checkFile = ({ values, readFile }: EnvironmentDraft, name: FileVariable): Problem[] => {
  const path = values[name];
  if (path === undefined || tryReadFile(path, readFile) !== undefined) return [];
  return [{ variable: name, got: quote(path), want: "the path of a readable file" }];
};

/** What a folder holds is looked at when it is read. */
const checkSchemaFile = ({ values: { AVRO_SCHEMA_FILE: path }, readFile }: EnvironmentDraft): Problem[] => {
  if (path === undefined || isReadableFileOrFolder(path, readFile)) return [];
  return [{ variable: "AVRO_SCHEMA_FILE", got: quote(path), want: fileOrFolderPath.want }];
};

type FileVariable = "KAFKA_TLS_CA_FILE" | "KAFKA_TLS_CERT_FILE" | "KAFKA_TLS_KEY_FILE";

const checkProbePauses = ({ BREAKER_PROBE_MIN: min, BREAKER_PROBE_MAX: max }: Partial<Values>): Problem[] =>
  min !== undefined && max !== undefined && min > max
    ? [{ variable: "BREAKER_PROBE_MIN", got: `${min}ms`, want: `at most BREAKER_PROBE_MAX, ${max}ms` }]
    : [];
