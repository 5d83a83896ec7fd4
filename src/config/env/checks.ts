import { type Problem, quote, wrongValue } from "../config-error.ts";
import { checkSasl } from "./check-sasl.ts";
import { checkTopics } from "./check-topics.ts";
import {
  type EnvironmentDraft,
  checkRequires,
  checkRequiresSecret,
  checkSecret,
  isReadableFileOrFolder,
  neitherSet,
  notEmptyRule,
  notSet,
  tryReadFile,
} from "./check-values.ts";
import { fileOrFolderPath, filePath, isAccessKey } from "./kinds.ts";
import type { Values } from "./variables.ts";

/** The mistakes that no variable shows alone: one lacks another, two contradict each other, or a file is unreadable. */
export const checkCombinations = (draft: EnvironmentDraft): Problem[] => [
  ...checkTls(draft),
  ...checkSasl(draft),
  ...checkRegistry(draft),
  ...checkAccessKey(draft),
  ...checkProbePauses(draft.values),
  ...checkTopics(draft.values),
];

const tlsFileNames = ["KAFKA_TLS_CA_FILE", "KAFKA_TLS_CERT_FILE", "KAFKA_TLS_KEY_FILE"] as const;

const checkTls = (draft: EnvironmentDraft): Problem[] => {
  const setFileNames = tlsFileNames.filter((name) => draft.setNames.has(name));
  const [first] = setFileNames;
  if (draft.values.KAFKA_TLS === false && first !== undefined) {
    return [{ variable: "KAFKA_TLS", sentence: `KAFKA_TLS is 'false', but ${first} is set; set KAFKA_TLS to 'true'` }];
  }
  return [
    ...setFileNames.flatMap((name) => checkTlsFile(draft, name)),
    ...checkRequires(draft, "KAFKA_TLS_CERT_FILE", "KAFKA_TLS_KEY_FILE"),
    ...checkRequires(draft, "KAFKA_TLS_KEY_FILE", "KAFKA_TLS_CERT_FILE"),
  ];
};

const checkTlsFile = ({ values, readFile }: EnvironmentDraft, name: (typeof tlsFileNames)[number]): Problem[] => {
  const path = values[name];
  if (path === undefined || tryReadFile(path, readFile) !== undefined) return [];
  return [wrongValue(name, quote(path), filePath.want)];
};

const checkRegistry = (draft: EnvironmentDraft): Problem[] => {
  const { setNames, values } = draft;
  const passwordNames = ["SCHEMA_REGISTRY_PASSWORD", "SCHEMA_REGISTRY_PASSWORD_FILE"] as const;
  const setPasswordName = passwordNames.find((name) => setNames.has(name));
  const lacksUrl = values.INPUT_FORMAT === "registry" && !setNames.has("SCHEMA_REGISTRY_URL");
  return [
    ...(lacksUrl ? [notSet("SCHEMA_REGISTRY_URL", "INPUT_FORMAT 'registry' needs it")] : []),
    ...(needsSchemaFile(values) ? checkSchemaFile(draft) : []),
    ...checkSecret(draft, passwordNames, notEmptyRule),
    ...(lacksUrl ? [] : checkRequires(draft, "SCHEMA_REGISTRY_USERNAME", "SCHEMA_REGISTRY_URL")),
    ...checkRequiresSecret(draft, "SCHEMA_REGISTRY_USERNAME", passwordNames),
    ...(setPasswordName === undefined ? [] : checkRequires(draft, setPasswordName, "SCHEMA_REGISTRY_USERNAME")),
  ];
};

const needsSchemaFile = ({ INPUT_FORMAT: format }: Partial<Values>): boolean => format === "avro" || format === "auto";

/** The decoder checks the files in a folder when it reads them. */
const checkSchemaFile = ({ values: { AVRO_SCHEMA_FILE: path }, readFile }: EnvironmentDraft): Problem[] => {
  if (path === undefined || isReadableFileOrFolder(path, readFile)) return [];
  return [wrongValue("AVRO_SCHEMA_FILE", quote(path), fileOrFolderPath.want)];
};

const checkAccessKey = (draft: EnvironmentDraft): Problem[] => {
  const names = ["GAINSIGHT_ACCESS_KEY", "GAINSIGHT_ACCESS_KEY_FILE"] as const;
  if (!names.some((name) => draft.setNames.has(name))) return [neitherSet(names, "set one of them")];
  return checkSecret(draft, names, { isValid: isAccessKey, want: "a file with the 36 characters of an access key" });
};

const checkProbePauses = ({ BREAKER_PROBE_MIN: min, BREAKER_PROBE_MAX: max }: Partial<Values>): Problem[] =>
  min !== undefined && max !== undefined && min > max
    ? [wrongValue("BREAKER_PROBE_MIN", `${min}ms`, `at most BREAKER_PROBE_MAX, which is ${max}ms`)]
    : [];
