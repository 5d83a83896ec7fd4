import type { Problem } from "../config-error.ts";
import type { ReadFile } from "../secret.ts";
import { secretPath, showPath } from "./kinds.ts";
import type { Values, VariableName } from "./variables.ts";

/** The environment as far as it could be read. What was given but is wrong is in `given` and not in `values`. */
export interface Draft {
  readonly values: Partial<Values>;
  readonly given: ReadonlySet<VariableName>;
  readonly readFile: ReadFile;
}

export const missing = (variable: VariableName, want: string): Problem => ({ variable, got: "nothing", want });

/** What is needed because something else is given. */
export const checkPartner = ({ given }: Draft, name: VariableName, partner: VariableName): Problem[] =>
  given.has(name) && !given.has(partner) ? [missing(partner, `a value, because ${name} is given`)] : [];

type SecretNames =
  | readonly ["KAFKA_SASL_PASSWORD", "KAFKA_SASL_PASSWORD_FILE"]
  | readonly ["KAFKA_SASL_OAUTH_CLIENT_SECRET", "KAFKA_SASL_OAUTH_CLIENT_SECRET_FILE"]
  | readonly ["SCHEMA_REGISTRY_PASSWORD", "SCHEMA_REGISTRY_PASSWORD_FILE"]
  | readonly ["GAINSIGHT_ACCESS_KEY", "GAINSIGHT_ACCESS_KEY_FILE"];

export const checkHasPassword = ({ given }: Draft, because: VariableName, names: SecretNames): Problem[] =>
  given.has(because) && !names.some((name) => given.has(name))
    ? [missing(names[0], `a value, here or as ${names[1]}, because ${because} is given`)]
    : [];

export const checkPassword = (draft: Draft, names: SecretNames): Problem[] =>
  checkSecret(draft, names, { isGood: (content) => content !== "", want: "a file that is not empty" });

interface SecretRule {
  readonly isGood: (content: string) => boolean;
  readonly want: string;
}

export const checkSecret = (draft: Draft, names: SecretNames, rule: SecretRule): Problem[] => {
  const [plain, file] = names;
  if (draft.given.has(plain) && draft.given.has(file)) {
    return [{ variable: file, got: "it beside the value itself", want: `either ${plain} or ${file}` }];
  }
  return checkSecretFile(draft, file, rule);
};

type SecretFile = SecretNames[1] | "KAFKA_SASL_OAUTH_TOKEN_FILE";

export const checkSecretFile = (draft: Draft, file: SecretFile, rule: SecretRule): Problem[] => {
  const path = draft.values[file];
  if (path === undefined) return [];
  const content = tryRead(path, draft.readFile)?.trim();
  if (content === undefined) return [{ variable: file, got: showPath(path), want: secretPath.want }];
  if (rule.isGood(content)) return [];
  return [{ variable: file, got: `${showPath(path)} with ${content.length} characters`, want: rule.want }];
};

export const tryRead = (path: string, readFile: ReadFile): string | undefined => {
  try {
    return readFile(path);
  } catch {
    return undefined;
  }
};

export const canReadOrIsFolder = (path: string, readFile: ReadFile): boolean => {
  try {
    readFile(path);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EISDIR";
  }
};
