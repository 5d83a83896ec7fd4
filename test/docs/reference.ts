import { readFileSync } from "node:fs";

import { isMap, parseDocument } from "yaml";
import type { Node, YAMLMap } from "yaml";

import type { Variable } from "../../src/config/env/variable.ts";
import { describeVariables, variables } from "../../src/config/env/variables.ts";
import type { VariableName } from "../../src/config/env/variables.ts";
import { settingsJsonSchema } from "../../src/config/settings/json-schema.ts";
import { repairTexts } from "../../src/core/event/repairs.ts";

type Row = readonly string[];

const code = (text: string): string => `\`${text}\``;
/** JSON on one line, with spaces: a line end that is not of its lay-out does not occur in it. */
const json = (value: unknown): string => {
  const text = JSON.stringify(value, undefined, 1);
  return code(text.replaceAll(/(?<=[[{])\n\s*|\n\s*(?=[\]}])/g, "").replaceAll(/\n\s*/g, " "));
};

/** Outside of `code` a `<` would begin a tag; a `|` would end the cell anywhere. */
const escape = (cell: string): string =>
  cell
    .replaceAll(/\s+/g, " ")
    .replaceAll("|", "\\|")
    .replaceAll(/`[^`]*`|</g, (found) => (found === "<" ? "\\<" : found));

/** A Markdown table with aligned columns, as oxfmt writes it. */
const table = (head: Row, rows: readonly Row[]): string => {
  const all = [head, ...rows].map((row) => row.map(escape));
  const widths = head.map((_, column) => Math.max(...all.map((row) => (row[column] ?? "").length)));
  const [first = "", ...rest] = all.map(
    (row) => `| ${row.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join(" | ")} |`,
  );
  return [first, `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`, ...rest].join("\n");
};

const takes = (name: VariableName): string => {
  const { kind }: Variable<unknown> = variables[name];
  return kind.want.replace(/, such as [^;]+/, "").replaceAll(/'([^' ]+)'/g, "`$1`");
};

const isVariable = (name: string): name is VariableName => name in variables;

const variablesTable = (): string =>
  table(
    ["variable", "takes", "default", "meaning"],
    describeVariables().map(({ name, default: fallback, isLiteral, meaning }) => [
      code(name),
      isVariable(name) ? takes(name) : "",
      isLiteral ? code(fallback) : fallback,
      meaning,
    ]),
  );

/** As much of JSON Schema as the settings need. */
interface Schema {
  readonly type?: string | readonly string[];
  readonly $ref?: string;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | boolean;
  readonly items?: Schema;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly default?: unknown;
  readonly examples?: readonly unknown[];
  readonly description?: string;
}

interface SettingsSchema extends Schema {
  readonly definitions: Readonly<Record<string, Schema>>;
}

interface Found {
  readonly schemas: readonly Schema[];
  readonly fallback: string;
}

const words: Readonly<Record<string, string>> = { object: "map", string: "text", boolean: "`true` or `false`" };

const settingsTable = (): string => {
  const root = settingsJsonSchema() as SettingsSchema;

  /** The simple schemas that a schema stands for; that it may be null goes without saying. */
  const branches = (schema: Schema): readonly Schema[] => {
    const { $ref, anyOf, oneOf, allOf, type } = schema;
    const target = $ref === undefined ? undefined : root.definitions[$ref.replace("#/definitions/", "")];
    const inner = target ? [target] : (anyOf ?? oneOf ?? allOf);
    return inner ? inner.flatMap(branches) : type === "null" ? [] : [schema];
  };

  const kindOf = ({ type = [], items, additionalProperties: values, minimum, maximum }: Schema): string => {
    if (items) return `list of ${kindsOf(items)}`;
    if (typeof values === "object") return `map of names to ${kindsOf(values)}`;
    if (minimum !== undefined) return `${minimum} to ${maximum}`;
    const kinds = [type].flat().map((name) => words[name] ?? name);
    return (kinds.length === 2 ? kinds.filter((kind) => kind !== "null") : kinds).join(" or ");
  };

  const valuesOf = (schema: Schema): string[] => {
    const values = schema.enum ?? ("const" in schema ? [schema.const] : []);
    return values.length > 0 ? values.map((value) => code(String(value))) : [kindOf(schema)];
  };

  const kindsOf = (schema: Schema): string => [...new Set(branches(schema).flatMap(valuesOf))].join(" or ");

  // What several branches have in common, such as the `when` of the filters, has one row.
  const found = new Map<string, Found>();
  const add = (path: string, child: Schema, isRequired: boolean): void => {
    const schemas = [...(found.get(path)?.schemas ?? []), child];
    found.set(path, { schemas, fallback: isRequired ? "required" : "none" });
    walk(child, `${path}.`);
  };
  const walk = (schema: Schema, at: string): void => {
    for (const { properties = {}, required = [], items } of branches(schema)) {
      for (const [name, child] of Object.entries(properties)) add(at + name, child, required.includes(name));
      if (items) walk(items, at.replace(/\.$/, "[]."));
    }
  };
  walk(root, "");

  return table(
    ["setting", "takes", "default", "meaning", "such as"],
    Array.from(found, ([path, { schemas, fallback }]) => {
      const { default: byDefault, description = "", examples = [] } = schemas[0] ?? {};
      const defaults = byDefault === undefined ? fallback : json(byDefault);
      return [code(path), kindsOf({ anyOf: schemas }), defaults, description, examples.map(json).join(" or ")];
    }),
  );
};

const chartValues = "helm/gainstream/values.yaml";

/** What a comment before a value says, from its `-- ` on, as helm-docs reads it. */
const told = (comment: string | null | undefined): string => /(?:^|\n) ?-- ([^]*)$/.exec(comment ?? "")?.[1] ?? "";

type Values = YAMLMap<Node, Node | null>;
const isGroup = (value: unknown): value is Values => isMap(value) && value.items.length > 0;

/** A map that has a meaning of its own is one value. */
const chartRows = ({ items, commentBefore }: Values, at: string): Row[] =>
  items.flatMap(({ key, value }, index) => {
    const path = `${at}${String(key)}`;
    const meaning = told(key.commentBefore ?? (index === 0 ? commentBefore : ""));
    if (meaning === "" && isGroup(value)) return chartRows(value, `${path}.`);
    return [[code(path), json(value?.toJSON() ?? null), meaning]];
  });

const chartTable = (): string => {
  const { contents } = parseDocument(readFileSync(chartValues, "utf8"));
  if (!isGroup(contents)) throw new Error(`Cannot read ${chartValues}: want a map`);
  return table(["value", "default", "meaning"], chartRows(contents, ""));
};

const repairsTable = (): string =>
  table(
    ["repair", "what the producer wrote, and what becomes of it"],
    Object.entries(repairTexts).map(([name, text]) => [code(name), text]),
  );

type Tables = Readonly<Record<string, string>>;

/** The generated tables by their documents and the names of their marks. */
export const referenceTables = (): Readonly<Record<string, Tables>> => ({
  "docs/configuration.md": { variables: variablesTable(), settings: settingsTable(), chart: chartTable() },
  "schemas/README.md": { repairs: repairsTable() },
});
