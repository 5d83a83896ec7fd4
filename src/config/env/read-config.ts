import { readFileSync } from "node:fs";

import { ConfigError, type Problem, quote, wrongValue } from "../config-error.ts";
import type { Config } from "../config.ts";
import { freeze } from "../freeze.ts";
import type { ReadFile } from "../secret.ts";
import { type Settings, parseSettings, readSettingsFile } from "../settings/settings.ts";
import { assemble } from "./assemble.ts";
import type { EnvironmentDraft } from "./check-values.ts";
import { checkCombinations } from "./checks.ts";
import { type ProxyConfig, proxyFor } from "./proxies.ts";
import type { Variable } from "./variable.ts";
import { type Values, type VariableName, variables } from "./variables.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

/** A value, or an incomplete one together with its mistakes. */
interface Checked<T> {
  readonly value: T;
  readonly problems: readonly Problem[];
}

const readTextFile: ReadFile = (path) => readFileSync(path, "utf8");

/**
 * The whole configuration, checked and frozen. Blanks around a value do not count, and an empty value is not set.
 * Throws a `ConfigError` with every mistake in the environment, in the files that it names, and in the settings file.
 */
export const readConfig = (env: Environment, readFile: ReadFile = readTextFile): Config => {
  const draft = readVariables(env, readFile);
  const settings = readInitialSettings(draft.value);
  const problems = [...draft.problems, ...checkCombinations(draft.value), ...settings.problems];
  if (problems.length > 0) throw new ConfigError(problems);
  // Without a problem every variable has its value.
  return freeze(assemble({ values: draft.value.values as Values, settings: settings.value, readFile }));
};

/** The proxy for an address, if a command needs nothing else of the configuration. Throws a `ConfigError`. */
export const readProxyFor = (env: Environment, address: string): ProxyConfig | undefined => {
  const names = ["HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY"] as const;
  const readings = names.map((name) => readVariable(name, variables[name], env));
  const problems = readings.flatMap(({ problem }) => problem ?? []);
  if (problems.length > 0) throw new ConfigError(problems);
  return proxyFor(Object.fromEntries(readings.map(({ name, value }) => [name, value])), address);
};

interface VariableReading {
  readonly name: string;
  readonly isSet: boolean;
  readonly value?: unknown;
  readonly problem?: Problem;
}

const readVariables = (env: Environment, readFile: ReadFile): Checked<EnvironmentDraft> => {
  const readings = Object.entries<Variable<unknown>>(variables).map(([name, variable]) =>
    readVariable(name, variable, env),
  );
  const entries = readings.map(({ name, value }) => [name, value]);
  const setNames = readings.filter((reading) => reading.isSet).map(({ name }) => name as VariableName);
  return {
    // `variables` gives each name its type; each value comes from the schema of its variable.
    value: { values: Object.fromEntries(entries) as Partial<Values>, setNames: new Set(setNames), readFile },
    problems: readings.flatMap(({ problem }) => problem ?? []),
  };
};

interface TrimmedValue {
  /** The name that was set, possibly in lower case. */
  readonly name: string;
  readonly trimmed: string;
}

const trimmedValueOf = (name: string, { hasLowerCaseName }: Variable<unknown>, env: Environment): TrimmedValue => {
  const names = hasLowerCaseName ? [name.toLowerCase(), name] : [name];
  const all = names.map((foundName) => ({ name: foundName, trimmed: env[foundName]?.trim() ?? "" }));
  return all.find(({ trimmed }) => trimmed !== "") ?? { name, trimmed: "" };
};

const readVariable = (name: string, variable: Variable<unknown>, env: Environment): VariableReading => {
  const { kind, presence } = variable;
  const { name: foundName, trimmed } = trimmedValueOf(name, variable, env);
  const text = trimmed === "" ? variable.default : trimmed;
  if (text === undefined) {
    const problem = { variable: name, sentence: `${name} is not set; want ${kind.want}` };
    return presence === "required" ? { name, isSet: false, problem } : { name, isSet: false };
  }
  const result = kind.schema.safeParse(text);
  if (result.success) return { name, isSet: trimmed !== "", value: result.data };
  return { name, isSet: true, problem: wrongValue(foundName, (kind.show ?? quote)(text), kind.want) };
};

const readInitialSettings = ({ values, readFile }: EnvironmentDraft): Checked<Settings> => {
  if (values.SETTINGS_FILE === undefined) return { value: parseSettings(""), problems: [] };
  try {
    return { value: readSettingsFile(values.SETTINGS_FILE, readFile), problems: [] };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { value: parseSettings(""), problems: error.problems };
  }
};
