import type { Problem } from "../config-error.ts";
import type { ReadFile } from "../secret.ts";
import { secretPath, showPath } from "./kinds.ts";
import type { Values, VariableName } from "./variables.ts";

/** The environment as far as it could be read. What was given but is wrong is in `given` and not in `values`. */
export interface EnvironmentDraft {
  readonly values: Partial<Values>;
  readonly setNames: ReadonlySet<VariableName>;
  readonly readFile: ReadFile;
}

export const missingProblem = (variable: VariableName, want: string): Problem => ({ variable, got: "nothing", want });

/** What is needed because something else is given. */
export const checkRequires = (
  { setNames }: EnvironmentDraft,
  name: VariableName,
  requiredName: VariableName,
): Problem[] =>
  setNames.has(name) && !setNames.has(requiredName)
    ? [missingProblem(requiredName, `a value, because ${name} is given`)]
    : [];

type SecretNames =
  | readonly ["KAFKA_SASL_PASSWORD", "KAFKA_SASL_PASSWORD_FILE"]
  | readonly ["KAFKA_SASL_OAUTH_CLIENT_SECRET", "KAFKA_SASL_OAUTH_CLIENT_SECRET_FILE"]
  | readonly ["SCHEMA_REGISTRY_PASSWORD", "SCHEMA_REGISTRY_PASSWORD_FILE"]
  | readonly ["GAINSIGHT_ACCESS_KEY", "GAINSIGHT_ACCESS_KEY_FILE"];

export const checkRequiresSecret = (
  { setNames }: EnvironmentDraft,
  reasonName: VariableName,
  names: SecretNames,
): Problem[] =>
  setNames.has(reasonName) && !names.some((name) => setNames.has(name))
    ? [missingProblem(names[0], `a value, here or as ${names[1]}, because ${reasonName} is given`)]
    : [];

export const checkSecretNotEmpty = (draft: EnvironmentDraft, names: SecretNames): Problem[] =>
  checkSecret(draft, names, { isValid: (content) => content !== "", want: "a file that is not empty" });

interface SecretRule {
  readonly isValid: (content: string) => boolean;
  readonly want: string;
}

export const checkSecret = (draft: EnvironmentDraft, names: SecretNames, rule: SecretRule): Problem[] => {
  const [plain, file] = names;
  if (draft.setNames.has(plain) && draft.setNames.has(file)) {
    return [{ variable: file, got: "it beside the value itself", want: `either ${plain} or ${file}` }];
  }
  return checkSecretFile(draft, file, rule);
};

type SecretFileName = SecretNames[1] | "KAFKA_SASL_OAUTH_TOKEN_FILE";

export const checkSecretFile = (draft: EnvironmentDraft, file: SecretFileName, rule: SecretRule): Problem[] => {
  const path = draft.values[file];
  if (path === undefined) return [];
  const content = tryReadFile(path, draft.readFile)?.trim();
  if (content === undefined) return [{ variable: file, got: showPath(path), want: secretPath.want }];
  if (rule.isValid(content)) return [];
  return [{ variable: file, got: `${showPath(path)} with ${content.length} characters`, want: rule.want }];
};

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
