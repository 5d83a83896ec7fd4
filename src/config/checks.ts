import { checkTopics } from "./check-topics.ts";
import { quote } from "./config-error.ts";
import type { Problem } from "./config-error.ts";
import { isAccessKey, secretPath, showPath } from "./kinds.ts";
import type { ReadFile } from "./secret.ts";
import type { Values, VariableName } from "./variables.ts";

/** The environment as far as it could be read. What was given but is wrong is in `given` and not in `values`. */
export interface Draft {
  readonly values: Partial<Values>;
  readonly given: ReadonlySet<VariableName>;
  readonly readFile: ReadFile;
}

/** The mistakes that no variable shows alone: what belongs together, what contradicts, what cannot be read. */
export const checkTogether = (draft: Draft): Problem[] => [
  ...checkTls(draft),
  ...checkSasl(draft),
  ...checkRegistry(draft),
  ...checkAccessKey(draft),
  ...checkProbes(draft.values),
  ...checkTopics(draft.values),
];

const missing = (variable: VariableName, want: string): Problem => ({ variable, got: "nothing", want });

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

const checkPartner = ({ given }: Draft, name: VariableName, partner: VariableName): Problem[] =>
  given.has(name) && !given.has(partner) ? [missing(partner, `a value, because ${name} is given`)] : [];

const checkSasl = (draft: Draft): Problem[] => {
  const password = ["KAFKA_SASL_PASSWORD", "KAFKA_SASL_PASSWORD_FILE"] as const;
  const partners = ["KAFKA_SASL_USERNAME", ...password] as const;
  const needless = partners.find((name) => draft.given.has(name));
  return [
    ...checkPassword(draft, password),
    ...(needless === undefined ? [] : checkPartner(draft, needless, "KAFKA_SASL_MECHANISM")),
    ...checkPartner(draft, "KAFKA_SASL_MECHANISM", "KAFKA_SASL_USERNAME"),
    ...checkHasPassword(draft, "KAFKA_SASL_MECHANISM", password),
  ];
};

const checkRegistry = (draft: Draft): Problem[] => {
  const { given, values } = draft;
  const password = ["SCHEMA_REGISTRY_PASSWORD", "SCHEMA_REGISTRY_PASSWORD_FILE"] as const;
  const givenPassword = password.find((name) => given.has(name));
  const needsUrl = values.INPUT_FORMAT === "registry" && !given.has("SCHEMA_REGISTRY_URL");
  return [
    ...(needsUrl ? [missing("SCHEMA_REGISTRY_URL", "an address, because INPUT_FORMAT is 'registry'")] : []),
    ...(readsSchemaFile(values) ? checkFile(draft, "AVRO_SCHEMA_FILE") : []),
    ...checkPassword(draft, password),
    ...(needsUrl ? [] : checkPartner(draft, "SCHEMA_REGISTRY_USERNAME", "SCHEMA_REGISTRY_URL")),
    ...checkHasPassword(draft, "SCHEMA_REGISTRY_USERNAME", password),
    ...(givenPassword === undefined ? [] : checkPartner(draft, givenPassword, "SCHEMA_REGISTRY_USERNAME")),
  ];
};

const readsSchemaFile = ({ INPUT_FORMAT: format }: Partial<Values>): boolean => format === "avro" || format === "auto";

type SecretNames =
  | readonly ["KAFKA_SASL_PASSWORD", "KAFKA_SASL_PASSWORD_FILE"]
  | readonly ["SCHEMA_REGISTRY_PASSWORD", "SCHEMA_REGISTRY_PASSWORD_FILE"]
  | readonly ["GAINSIGHT_ACCESS_KEY", "GAINSIGHT_ACCESS_KEY_FILE"];

const checkHasPassword = ({ given }: Draft, because: VariableName, names: SecretNames): Problem[] =>
  given.has(because) && !names.some((name) => given.has(name))
    ? [missing(names[0], `a value, here or as ${names[1]}, because ${because} is given`)]
    : [];

const checkPassword = (draft: Draft, names: SecretNames): Problem[] =>
  checkSecret(draft, names, { isGood: (content) => content !== "", want: "a file that is not empty" });

const checkAccessKey = (draft: Draft): Problem[] => {
  const names = ["GAINSIGHT_ACCESS_KEY", "GAINSIGHT_ACCESS_KEY_FILE"] as const;
  if (!names.some((name) => draft.given.has(name))) {
    return [missing(names[0], `the 36 characters of a Gainsight access key, here or as ${names[1]}`)];
  }
  return checkSecret(draft, names, { isGood: isAccessKey, want: "a file with the 36 characters of an access key" });
};

interface SecretRule {
  readonly isGood: (content: string) => boolean;
  readonly want: string;
}

const checkSecret = (draft: Draft, names: SecretNames, rule: SecretRule): Problem[] => {
  const [plain, file] = names;
  if (draft.given.has(plain) && draft.given.has(file)) {
    return [{ variable: file, got: "it beside the value itself", want: `either ${plain} or ${file}` }];
  }
  const path = draft.values[file];
  if (path === undefined) return [];
  const content = tryRead(path, draft.readFile)?.trim();
  if (content === undefined) return [{ variable: file, got: showPath(path), want: secretPath.want }];
  if (rule.isGood(content)) return [];
  return [{ variable: file, got: `${showPath(path)} with ${content.length} characters`, want: rule.want }];
};

const checkFile = ({ values, readFile }: Draft, name: FileVariable): Problem[] => {
  const path = values[name];
  if (path === undefined || tryRead(path, readFile) !== undefined) return [];
  return [{ variable: name, got: quote(path), want: "the path of a readable file" }];
};

type FileVariable = "KAFKA_TLS_CA_FILE" | "KAFKA_TLS_CERT_FILE" | "KAFKA_TLS_KEY_FILE" | "AVRO_SCHEMA_FILE";

const tryRead = (path: string, readFile: ReadFile): string | undefined => {
  try {
    return readFile(path);
  } catch {
    return undefined;
  }
};

const checkProbes = ({ BREAKER_PROBE_MIN: min, BREAKER_PROBE_MAX: max }: Partial<Values>): Problem[] =>
  min !== undefined && max !== undefined && min > max
    ? [{ variable: "BREAKER_PROBE_MIN", got: `${min}ms`, want: `at most BREAKER_PROBE_MAX, ${max}ms` }]
    : [];
