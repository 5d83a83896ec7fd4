/** A JSON object as it came over the wire: nothing in it is checked. */
export type WireObject = Readonly<Record<string, unknown>>;

export const isWireObject = (value: unknown): value is WireObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The value of a JSON text, or undefined where the text is no JSON. */
export const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

/** A field's text; an empty one counts as absent, as it does for Segment. */
export const textOf = (object: WireObject, field: string): string | undefined => {
  const value = object[field];
  return typeof value === "string" && value !== "" ? value : undefined;
};

/** What kind of value it is, in words, so that an error can name it without repeating personal data. */
export const describeKind = (value: unknown): string => {
  if (value === undefined) return "nothing";
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
};
