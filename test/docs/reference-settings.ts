import { settingsJsonSchema } from "../../src/config/settings/json-schema.ts";
import { code, entry, json, paragraph, sentence } from "./reference-text.ts";

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

interface Setting {
  readonly path: string;
  readonly schemas: readonly Schema[];
  readonly isRequired: boolean;
}

const root = settingsJsonSchema() as SettingsSchema;
const words: Readonly<Record<string, string>> = { object: "a map", string: "text", boolean: "`true` or `false`" };

/** The simple schemas that a schema stands for; that it may be null goes without saying. */
const branches = (schema: Schema): readonly Schema[] => {
  const { $ref, anyOf, oneOf, allOf, type } = schema;
  const target = $ref === undefined ? undefined : root.definitions[$ref.replace("#/definitions/", "")];
  const inner = target ? [target] : (anyOf ?? oneOf ?? allOf);
  return inner ? inner.flatMap(branches) : type === "null" ? [] : [schema];
};

const kindOf = ({ type = [], items, additionalProperties: values, minimum, maximum }: Schema): string => {
  if (items) return `a list of ${kindsOf(items).replace("a map", "maps")}`;
  if (typeof values === "object") return `a map of names to ${kindsOf(values)}`;
  if (minimum !== undefined) return `${minimum} to ${maximum}`;
  const kinds = [type].flat().map((name) => words[name] ?? name);
  return (kinds.length === 2 ? kinds.filter((kind) => kind !== "null") : kinds).join(" or ");
};

const valuesOf = (schema: Schema): string[] => {
  const values = schema.enum ?? ("const" in schema ? [schema.const] : []);
  return values.length > 0 ? values.map((value) => code(String(value))) : [kindOf(schema)];
};

const kindsOf = (schema: Schema): string => [...new Set(branches(schema).flatMap(valuesOf))].join(" or ");

/** All settings below a schema. What several branches have in common, such as the `when` of the filters, comes once. */
const settingsBelow = (schema: Schema, at: string): readonly Setting[] => {
  const found = new Map<string, Setting>();
  const add = (path: string, child: Schema, isRequired: boolean): void => {
    const schemas = [...(found.get(path)?.schemas ?? []), child];
    found.set(path, { path, schemas, isRequired });
    walk(child, `${path}.`);
  };
  const walk = (parent: Schema, prefix: string): void => {
    for (const { properties = {}, required = [], items } of branches(parent)) {
      for (const [name, child] of Object.entries(properties)) add(prefix + name, child, required.includes(name));
      if (items) walk(items, prefix.replace(/\.$/, "[]."));
    }
  };
  walk(schema, at);
  return [...found.values()];
};

/** Whether the default, the meaning or the settings below it say already what the setting takes. */
const isClear = ({ default: fallback, description = "" }: Schema, kinds: string): boolean => {
  const values = kinds.match(/(?<=`)\w+(?=`)/g) ?? [];
  const isSaid = values.length > 1 && values.every((value) => description.includes(value));
  return isSaid || typeof fallback === "boolean" || /^((a list of )?text|\d+ to \d+)$/.test(kinds);
};

const takes = ({ schemas }: Setting, isMap: boolean): string => {
  const [schema = {}] = schemas;
  const kinds = kindsOf({ anyOf: schemas });
  const such = (schema.examples ?? []).map(json).join(" or ");
  if (isMap) return "";
  if (isClear(schema, kinds)) return such === "" ? "" : sentence(`For example ${such}`);
  return sentence(`Takes ${kinds}${such === "" ? "" : `, such as ${such}`}`);
};

const presence = ({ schemas, isRequired }: Setting, isMap: boolean): string => {
  const { default: fallback, minimum, maximum } = schemas[0] ?? {};
  const byDefault = isMap || fallback === undefined ? [] : [`default ${json(fallback)}`];
  const limits = minimum === undefined ? [] : [`${minimum} to ${maximum}`];
  return [...(isRequired ? ["required"] : byDefault), ...limits].join(", ");
};

const isBelow = (setting: Setting, top: string): boolean =>
  setting.path.startsWith(`${top}.`) || setting.path.startsWith(`${top}[].`);

const meaningOf = ({ schemas }: Setting): string => sentence(schemas[0]?.description ?? "");

const innerEntry = (top: Setting, setting: Setting, isMap: boolean): string => {
  const name = setting.path.slice(top.path.length).replace(/^(\[\])?\./, "");
  const brackets = presence(setting, isMap);
  const text = [meaningOf(setting), takes(setting, isMap)].filter((part) => part !== "").join(" ");
  return entry(`${code(name)}${brackets === "" ? "" : ` (${brackets})`}: ${text}`);
};

const section = (top: Setting, below: readonly Setting[]): string => {
  const isMap = below.length > 0;
  const byDefault = presence(top, isMap);
  const text = paragraph(`${meaningOf(top)} ${takes(top, isMap)} ${sentence(byDefault.replace(/^d/, "D"))}`);
  const entries = below.map((inner) =>
    innerEntry(
      top,
      inner,
      below.some((other) => isBelow(other, inner.path)),
    ),
  );
  return [`### ${code(top.path)}`, text, ...(isMap ? [entries.join("\n")] : [])].join("\n\n");
};

export const settingsReference = (): string => {
  const all = settingsBelow(root, "");
  return all
    .filter(({ path }) => !path.includes("."))
    .map((top) =>
      section(
        top,
        all.filter((setting) => isBelow(setting, top.path)),
      ),
    )
    .join("\n\n");
};
