import type { Variable } from "../../src/config/env/variable.ts";
import { describeVariables, variables } from "../../src/config/env/variables.ts";
import type { VariableDescription, VariableName } from "../../src/config/env/variables.ts";
import { capital, code, entry, sentence } from "./reference-text.ts";

/** The sections in their order; a variable belongs to the first one that matches. */
const sections: ReadonlyArray<readonly [heading: string, names: RegExp]> = [
  ["Kafka: encryption", /^KAFKA_TLS/],
  ["Kafka: authentication", /^KAFKA_SASL/],
  ["Kafka", /^KAFKA_/],
  ["Topics and retries", /^(SOURCE|RETRY|DEAD_LETTER)_|^(QUICK_ATTEMPTS|CREATE_TOPICS|START_FROM)$/],
  ["Input", /^(INPUT|SCHEMA_REGISTRY|AVRO)_/],
  ["Gainsight", /^GAINSIGHT_/],
  ["Proxies", /_PROXY$/],
  ["Circuit breaker", /^BREAKER_/],
  ["Process", /^(SETTINGS|HTTP|LOG|SHUTDOWN)_/],
];

/** What `docs/configuration.md` says once for all variables. */
const saidOnce = /^(text|`true` or `false`|the path of a readable file|(a topic name|topic names|at most 249) .*)$/;

const range = /^a (?:whole number|duration) from (\S+ to [^;]+)(?:; )?/;

const isVariable = (name: string): name is VariableName => name in variables;

const wantOf = (name: string): string => {
  if (!isVariable(name)) return "";
  const { kind }: Variable<unknown> = variables[name];
  return kind.want.replace(/, such as [^;]+/, "").replaceAll(/'([^' ]+)'/g, "`$1`");
};

/** What the variable takes, unless its description or its range says so. */
const takes = ({ name, description }: VariableDescription): string => {
  const want = wantOf(name);
  if (range.test(want)) return sentence(capital(want.replace(range, "")));
  const choices = want.match(/`[^`]+`/g) ?? [];
  const isSaid =
    description.toLowerCase().includes(want.toLowerCase()) ||
    (choices.length > 1 && choices.every((choice) => description.includes(choice)));
  return isSaid || saidOnce.test(want) ? "" : sentence(`Takes ${want}`);
};

/** In brackets: its default and its range, or that it is required. */
const presence = ({ name, default: fallback, isLiteral }: VariableDescription): string => {
  const [, limits] = range.exec(wantOf(name)) ?? [];
  if (isLiteral) return ` (default ${code(fallback)}${limits === undefined ? "" : `, ${limits}`})`;
  if (fallback === "none") return "";
  return fallback === "required" ? " (required)" : ` (default: ${fallback})`;
};

const variableText = (variable: VariableDescription): string =>
  `${code(variable.name)}${presence(variable)}: ${sentence(variable.description)}`;

const headingOf = (name: string): string => {
  const found = sections.find(([, names]) => names.test(name));
  if (!found) throw new Error(`Cannot place ${name} in docs/configuration.md: want a section for it`);
  return found[0];
};

export const variablesReference = (): string => {
  const all = Object.groupBy(describeVariables(), ({ name }) => headingOf(name));
  return Object.entries(all)
    .map(([heading, members = []]) => {
      const entries = members.map((variable) => entry(`${variableText(variable)} ${takes(variable)}`));
      return [`### ${heading}\n`, ...entries].join("\n");
    })
    .join("\n\n");
};
