/** A JSON object that a client sent. Nothing in it is checked. */
export type WireObject = Readonly<Record<string, unknown>>;

export const isWireObject = (value: unknown): value is WireObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The value of a JSON text; undefined if the text is not JSON. */
export const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

/** The string in a field; undefined if it is empty or no string. */
export const textOf = (object: WireObject, field: string): string | undefined => {
  const value = object[field];
  return typeof value === "string" && value !== "" ? value : undefined;
};

/** The type of a value in words, so that an error need not repeat personal data. */
export const describeKind = (value: unknown): string => {
  if (value === undefined) return "nothing";
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
};
