/** An Avro schema as parsed JSON, as far as the tests need it. */
export type AvroSchema = string | readonly AvroSchema[] | AvroDefinition;

interface AvroDefinition {
  readonly type: string;
  readonly logicalType?: string;
  readonly "connect.name"?: string;
  readonly "connect.internal.type"?: string;
  readonly name?: string;
  readonly namespace?: string;
  readonly aliases?: readonly string[];
  readonly default?: unknown;
  readonly symbols?: readonly string[];
  readonly items?: AvroSchema;
  readonly values?: AvroSchema;
  readonly fields?: readonly { readonly name: string; readonly type: AvroSchema; readonly default?: unknown }[];
}

/** A value before it is encoded. A bigint is a number that `JSON.parse` would round. */
export type Value = string | number | bigint | boolean | null | undefined | readonly Value[] | ValueObject;

interface ValueObject {
  readonly [key: string]: Value;
}

/** JSON text with every digit of every number. */
export const jsonText = (value: Value): string => {
  if (typeof value === "bigint") return String(value);
  if (Array.isArray(value)) return `[${value.map(jsonText).join(",")}]`;
  if (!isObject(value)) return JSON.stringify(value ?? null);
  const pairs = Object.entries(value).filter(([, inner]) => inner !== undefined);
  return `{${pairs.map(([key, inner]) => `${JSON.stringify(key)}:${jsonText(inner)}`).join(",")}}`;
};

/**
 * Encodes a plain value by any schema, as a producer does: it picks the fitting branch of a union, wraps values in the records that the
 * schema has around them, and writes JSON text if the schema has a string for an object. It does not use avsc, so that it can test the
 * decoder.
 */
export const writeAvro = (schema: AvroSchema, value: Value): Buffer => write(schema, { value, names: new Map() });

interface Writing {
  readonly value: Value;
  readonly names: Map<string, AvroDefinition>;
}

const isObject = (value: Value): value is ValueObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const isUnion = (schema: AvroSchema): schema is readonly AvroSchema[] => Array.isArray(schema);

/** Zigzag encoding, seven bits per byte. */
export const long = (value: number | bigint): Buffer => {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, (BigInt(value) << 1n) ^ (BigInt(value) >> 63n));
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  return Buffer.from([...bytes, Number(rest)]);
};
const textOf = (value: Value): string => (typeof value === "string" ? value : jsonText(value));
const text = (value: Value): Buffer => {
  const bytes = Buffer.from(textOf(value));
  return Buffer.concat([long(bytes.length), bytes]);
};
const double = (value: Value): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(Number(value));
  return bytes;
};

const unitsPerMs: Readonly<Record<string, number>> = {
  "timestamp-millis": 1,
  "io.debezium.time.Timestamp": 1,
  "timestamp-micros": 1_000,
  "io.debezium.time.MicroTimestamp": 1_000,
};
const timeUnit = (schema: AvroDefinition): number | undefined =>
  unitsPerMs[schema.logicalType ?? schema["connect.name"] ?? ""];

const write = (schema: AvroSchema, { value, names }: Writing): Buffer => {
  if (isUnion(schema)) {
    const fit = schema.findIndex((branch) => fits(resolve(branch, names), value));
    const index = fit < 0 ? schema.indexOf("string") : fit;
    return Buffer.concat([long(index), write(schema[index] ?? "null", { value, names })]);
  }
  const definition = resolve(schema, names);
  if (definition.name !== undefined) names.set(definition.name, definition);
  return writers[definition.type]?.(definition, { value, names }) ?? text(value);
};

const resolve = (schema: AvroSchema, names: Writing["names"]): AvroDefinition => {
  if (isUnion(schema)) throw new Error("A union in a union");
  return typeof schema === "string" ? (names.get(schema) ?? { type: schema }) : schema;
};

const fits = (schema: AvroDefinition, value: Value): boolean =>
  fitting[schema.type]?.(value, schema) ?? typeof value === "string";

const fitting: Readonly<Record<string, (value: Value, schema: AvroDefinition) => boolean>> = {
  null: (value) => value === null || value === undefined,
  boolean: (value) => typeof value === "boolean",
  long: (value, schema) => typeof value === "bigint" || Number.isInteger(value) || timeUnit(schema) !== undefined,
  double: (value) => typeof value === "number",
  array: (value) => Array.isArray(value),
  map: isObject,
  record: (value, { fields = [] }) =>
    isObject(value) && Object.keys(value).every((key) => fields.some(({ name }) => name === key)),
};

type Writer = (schema: AvroDefinition, writing: Writing) => Buffer;

const block = (items: readonly Buffer[]): Buffer =>
  items.length === 0 ? long(0) : Buffer.concat([long(items.length), ...items, long(0)]);

const writers: Readonly<Record<string, Writer>> = {
  null: () => Buffer.alloc(0),
  boolean: (_schema, { value }) => Buffer.from([value === true ? 1 : 0]),
  long: (schema, { value }) => {
    const unit = timeUnit(schema);
    if (unit !== undefined) return long(Date.parse(textOf(value)) * unit);
    return long(typeof value === "bigint" ? value : Number(value));
  },
  double: (_schema, { value }) => double(value),
  enum: ({ symbols = [] }, { value }) => long(symbols.indexOf(textOf(value))),
  array: ({ items = "null" }, { value, names }) => {
    const list = isObject(value) ? Object.entries(value).map(([key, inner]) => ({ key, value: inner })) : value;
    return block(Array.isArray(list) ? list.map((item: Value) => write(items, { value: item, names })) : []);
  },
  map: ({ values = "null" }, { value, names }) => {
    const pairs = Object.entries(isObject(value) ? value : {});
    return block(pairs.map(([key, inner]) => Buffer.concat([text(key), write(values, { value: inner, names })])));
  },
  record: ({ fields = [] }, { value, names }) => {
    const [only] = fields;
    if (only?.name === "value" && fields.length === 1) return write(only.type, { value, names });
    const object = isObject(value) ? value : {};
    return Buffer.concat(fields.map(({ name, type }) => write(type, { value: object[name], names })));
  },
};
