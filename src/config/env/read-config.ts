import { readFileSync } from "node:fs";

import { ConfigError, quote } from "../config-error.ts";
import type { Problem } from "../config-error.ts";
import type { Config } from "../config.ts";
import { freeze } from "../freeze.ts";
import type { ReadFile } from "../secret.ts";
import { parseSettings, readSettingsFile } from "../settings/settings.ts";
import type { Settings } from "../settings/settings.ts";
import { assemble } from "./assemble.ts";
import type { Draft } from "./check-values.ts";
import { checkTogether } from "./checks.ts";
import { type ProxyConfig, proxyFor } from "./proxies.ts";
import type { Variable } from "./variable.ts";
import { variables } from "./variables.ts";
import type { Values, VariableName } from "./variables.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

const readTextFile: ReadFile = (path) => readFileSync(path, "utf8");

/**
 * The whole configuration, checked and frozen. Blanks around a value do not count, and an empty value is none.
 * Throws a `ConfigError` that lists every mistake of the environment, of the files it names and of the settings file.
 */
export const readConfig = (env: Environment, readFile: ReadFile = readTextFile): Config => {
  const { draft, problems } = readVariables(env, readFile);
  const settings = readSettings(draft);
  const all = [...problems, ...checkTogether(draft), ...settings.problems];
  if (all.length > 0) throw new ConfigError(all);
  // Without a problem every variable has its value.
  return freeze(assemble({ values: draft.values as Values, settings: settings.value, readFile }));
};

/** The proxy on the way to an address, for who needs nothing else of the configuration. Throws a `ConfigError`. */
export const readProxyFor = (env: Environment, address: string): ProxyConfig | undefined => {
  const names = ["HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY"] as const;
  const readings = names.map((name) => readVariable(name, variables[name], env));
  const problems = readings.flatMap(({ problem }) => problem ?? []);
  if (problems.length > 0) throw new ConfigError(problems);
  return proxyFor(Object.fromEntries(readings.map(({ name, value }) => [name, value])), address);
};

interface Reading {
  readonly name: string;
  readonly given: boolean;
  readonly value?: unknown;
  readonly problem?: Problem;
}

const readVariables = (env: Environment, readFile: ReadFile): { draft: Draft; problems: Problem[] } => {
  const readings = Object.entries<Variable<unknown>>(variables).map(([name, variable]) =>
    readVariable(name, variable, env),
  );
  const entries = readings.map(({ name, value }) => [name, value]);
  const given = readings.filter((reading) => reading.given).map(({ name }) => name as VariableName);
  return {
    // The table gives each name its type; the entries carry what its own schema made of the text.
    draft: { values: Object.fromEntries(entries) as Partial<Values>, given: new Set(given), readFile },
    problems: readings.flatMap(({ problem }) => problem ?? []),
  };
};

interface Given {
  /** As it was found. */
  readonly name: string;
  readonly trimmed: string;
}

const givenOf = (name: string, { isLowerCaseToo }: Variable<unknown>, env: Environment): Given => {
  const names = isLowerCaseToo ? [name.toLowerCase(), name] : [name];
  const all = names.map((found) => ({ name: found, trimmed: env[found]?.trim() ?? "" }));
  return all.find(({ trimmed }) => trimmed !== "") ?? { name, trimmed: "" };
};

const readVariable = (name: string, variable: Variable<unknown>, env: Environment): Reading => {
  const { kind, presence } = variable;
  const { name: found, trimmed } = givenOf(name, variable, env);
  const text = trimmed === "" ? variable.default : trimmed;
  if (text === undefined) {
    const problem = { variable: name, got: "nothing", want: kind.want };
    return presence === "required" ? { name, given: false, problem } : { name, given: false };
  }
  const result = kind.schema.safeParse(text);
  if (result.success) return { name, given: trimmed !== "", value: result.data };
  return { name, given: true, problem: { variable: found, got: (kind.show ?? quote)(text), want: kind.want } };
};

const readSettings = ({ values, readFile }: Draft): { value: Settings; problems: readonly Problem[] } => {
  if (values.SETTINGS_FILE === undefined) return { value: parseSettings(""), problems: [] };
  try {
    return { value: readSettingsFile(values.SETTINGS_FILE, readFile), problems: [] };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { value: parseSettings(""), problems: error.problems };
  }
};
