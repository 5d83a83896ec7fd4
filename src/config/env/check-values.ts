import { type Problem, wrongValue } from "../config-error.ts";
import type { ReadFile } from "../secret.ts";
import { secretPath, showPath } from "./kinds.ts";
import type { Values, VariableName } from "./variables.ts";

/** The environment as far as it is readable. A variable with a wrong value is in `setNames` and has no entry in `values`. */
export interface EnvironmentDraft {
  readonly values: Partial<Values>;
  readonly setNames: ReadonlySet<VariableName>;
  readonly readFile: ReadFile;
}

/** A secret's variable, and the variable of its file. */
export type SecretNames =
  | readonly ["KAFKA_SASL_PASSWORD", "KAFKA_SASL_PASSWORD_FILE"]
  | readonly ["KAFKA_SASL_OAUTH_CLIENT_SECRET", "KAFKA_SASL_OAUTH_CLIENT_SECRET_FILE"]
  | readonly ["SCHEMA_REGISTRY_PASSWORD", "SCHEMA_REGISTRY_PASSWORD_FILE"]
  | readonly ["GAINSIGHT_ACCESS_KEY", "GAINSIGHT_ACCESS_KEY_FILE"];

export interface SecretRule {
  readonly isValid: (content: string) => boolean;
  readonly want: string;
}

export const notEmptyRule: SecretRule = { isValid: (content) => content !== "", want: "a file that is not empty" };

export const notSet = (variable: VariableName, reason: string): Problem => ({
  variable,
  sentence: `${variable} is not set; ${reason}`,
});

export const neitherSet = ([first, second]: readonly [VariableName, VariableName], reason: string): Problem => ({
  variable: first,
  sentence: `Neither ${first} nor ${second} is set; ${reason}`,
});

export const bothSet = ([first, second]: readonly [VariableName, VariableName]): Problem => ({
  variable: second,
  sentence: `${first} and ${second} are both set; set only one`,
});

/** One variable needs another one. */
export const checkRequires = (
  { setNames }: EnvironmentDraft,
  name: VariableName,
  requiredName: VariableName,
): Problem[] => (setNames.has(name) && !setNames.has(requiredName) ? [notSet(requiredName, `${name} needs it`)] : []);

/** A variable needs a secret, as a value or as a file. */
export const checkRequiresSecret = (
  { setNames }: EnvironmentDraft,
  name: VariableName,
  secretNames: SecretNames,
): Problem[] =>
  setNames.has(name) && !secretNames.some((secretName) => setNames.has(secretName))
    ? [neitherSet(secretNames, `${name} needs one of them`)]
    : [];

export const checkSecret = (draft: EnvironmentDraft, names: SecretNames, rule: SecretRule): Problem[] =>
  names.every((name) => draft.setNames.has(name)) ? [bothSet(names)] : checkSecretFile(draft, names[1], rule);

type SecretFileName = SecretNames[1] | "KAFKA_SASL_OAUTH_TOKEN_FILE";

export const checkSecretFile = (draft: EnvironmentDraft, name: SecretFileName, rule: SecretRule): Problem[] => {
  const path = draft.values[name];
  if (path === undefined) return [];
  const content = tryReadFile(path, draft.readFile)?.trim();
  if (content === undefined) return [wrongValue(name, showPath(path), secretPath.want)];
  if (rule.isValid(content)) return [];
  return [wrongValue(name, `${showPath(path)} with ${content.length} characters`, rule.want)];
};

/** The content of a file; undefined if it cannot be read. */
export const tryReadFile = (path: string, readFile: ReadFile): string | undefined => {
  try {
    return readFile(path);
  } catch {
    return undefined;
  }
};

export const isReadableFileOrFolder = (path: string, readFile: ReadFile): boolean => {
  try {
    readFile(path);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EISDIR";
  }
};
