import { readFileSync } from "node:fs";

import { expect, test } from "vitest";
import { parse } from "yaml";

import { describeVariables } from "../../src/config/env/variables.ts";
import { settingsJsonSchema } from "../../src/config/settings/json-schema.ts";
import { metricHelp } from "../../src/ops/metric-help.ts";

const chart = "helm/gainstream";
const read = (path: string): string => readFileSync(`${chart}/${path}`, "utf8");
const environment = read("templates/_config.tpl");
const schema: Schema = JSON.parse(read("values.schema.json"));
const values: Value = parse(read("values.yaml"));
const variables = describeVariables();

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: unknown;
  readonly definitions?: Readonly<Record<string, unknown>>;
}

interface Dashboard {
  readonly panels: readonly {
    readonly id: number;
    readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  }[];
}

type Value = string | number | boolean | readonly string[] | { readonly [key: string]: Value };

/** A secret that the chart sets by its file variable. */
const isPlainSecret = (name: string): boolean => variables.some((other) => other.name === `${name}_FILE`);
const isMap = (value: Value | undefined): value is Record<string, Value> =>
  typeof value === "object" && !Array.isArray(value);

const at = (path: string): Value | undefined =>
  path.split(".").reduce<Value | undefined>((value, key) => (isMap(value) ? value[key] : undefined), values);

/** Lines such as `KAFKA_GROUP_ID: {{ .Values.kafka.groupId | quote }}`. */
const rendered = [...environment.matchAll(/^([A-Z_]+): (?:.*\.Values\.([\w.]+))?/gm)].map(
  ([, name = "", path]) => [name, path] as const,
);

test("the chart sets every variable of the service, secrets by file, and no others", () => {
  const wanted = variables.map(({ name }) => name).filter((name) => !isPlainSecret(name));
  expect(rendered.map(([name]) => name).sort()).toEqual(wanted.sort());
});

test.each(variables.filter(({ isLiteral }) => isLiteral))(
  "$name has the service's default in the chart's values",
  ({ name, default: byDefault }) => {
    const [, path = ""] = rendered.find(([variable]) => variable === name) ?? [];
    const value = at(path);
    const text = Array.isArray(value) ? value.join(",") : JSON.stringify(value).replaceAll('"', "");
    expect(name === "SHUTDOWN_TIMEOUT" ? `${text}s` : text).toBe(byDefault);
  },
);

/** Free-form maps: empty ones, and the parts of `resources`. */
const isFree = (value: Record<string, Value>, properties: Readonly<Record<string, Schema>>): boolean =>
  Object.keys(value).length === 0 || "claims" in properties;

test("values.schema.json has every value and no others, except below free-form maps", () => {
  const missing = (value: Value, { properties, additionalProperties }: Schema): string[] => {
    if (properties === undefined || !isMap(value) || isFree(value, properties)) return [];
    expect(additionalProperties).toBe(false);
    const gone = Object.keys(properties).filter((key) => !(key in value));
    const below = Object.entries(value).flatMap(([key, inner]) => {
      const found = properties[key];
      return found ? missing(inner, found).map((path) => `${key}.${path}`) : [key];
    });
    return [...gone, ...below];
  };
  const { global: _, ...rest } = isMap(values) ? values : {};
  // A parent chart may put anything into `global`.
  expect(missing(rest, schema).sort()).toEqual(["global"]);
});

test("values.schema.json contains the current schema of the settings", () => {
  const { $schema: _, definitions, ...settings } = { definitions: {}, $schema: "", ...settingsJsonSchema() };
  // If not: node helm/sync-schema.ts && npx oxfmt helm/gainstream/values.schema.json
  expect(schema.definitions).toEqual({ Settings: settings, ...definitions });
});

test("every value has a row with a description in the chart's README", () => {
  const rows = read("README.md")
    .split("\n")
    .filter((line) => /^\| [\w.]+ \| \w+ \|/.test(line));
  expect(rows.length).toBeGreaterThan(100);
  expect(rows.filter((row) => /\|\s*\|$/.test(row))).toEqual([]);
});

test.each(["files/dashboard.json", "templates/_alerts.tpl", "templates/scaledobject.yaml"])(
  "%s uses only metrics that exist",
  (file) => {
    const asked = [...read(file).matchAll(/\b(gainstream_\w+?)(?:_bucket)?\b(?=\{|"|,|\W)/g)].map(
      ([, name = ""]) => name,
    );
    expect(asked.filter((name) => !(name in metricHelp))).toEqual([]);
    expect(asked.length).toBeGreaterThan(0);
  },
);

test("every metric is on the dashboard", () => {
  expect(Object.keys(metricHelp).filter((name) => !read("files/dashboard.json").includes(name))).toEqual([]);
});

test("a missing section of the values is reported, as after --reuse-values", () => {
  const [, list = ""] = /range \$name := list ([^-]+?) -/.exec(read("templates/_guards-images.tpl")) ?? [];
  // These sections may be null.
  const may = new Set(["global", "podDisruptionBudget", "resources", "podSecurityContext", "securityContext"]);
  const sections = Object.entries(isMap(values) ? values : {}).filter(
    ([, value]) => isMap(value) && Object.keys(value).length > 0,
  );
  const wanted = sections.map(([name]) => name).filter((name) => !may.has(name));
  expect([...list.matchAll(/\w+/g)].map(([name]) => name).sort()).toEqual(wanted.sort());
});

test("every panel of the dashboard has a unique id and place", () => {
  const { panels }: Dashboard = JSON.parse(read("files/dashboard.json"));
  const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
    Array.from({ length: w * h }, (_, cell) => `${x + (cell % w)},${y + Math.floor(cell / w)}`),
  );
  expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
  expect(new Set(cells).size).toBe(cells.length);
});

test("every alert has a promtool test", () => {
  const alerts = [...read("templates/_alerts.tpl").matchAll(/- alert: (\w+)/g)].map(([, name]) => name);
  const tested = new Set([...read("tests/alerts.yaml").matchAll(/alertname: (\w+)/g)].map(([, name]) => name));
  expect(alerts.filter((name) => !tested.has(name))).toEqual([]);
});

test("chart and service have the same version", () => {
  const { version }: { version: string } = JSON.parse(readFileSync("package.json", "utf8"));
  expect(parse(read("Chart.yaml"))).toMatchObject({ version, appVersion: version });
});
