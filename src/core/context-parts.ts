import type { Json, JsonObject } from "./event.ts";
import { tryParseJsonText } from "./json-text.ts";
import { isObject } from "./json.ts";
import { editKeys } from "./property-paths.ts";
import type { Repairs } from "./repairs.ts";

/**
 * What Segment defines as objects inside `context`, and `externalIds`, a list. In a `map<string>` they can only be JSON text.
 * Sources: https://segment.com/docs/connections/spec/common/#context (the spec), and Segment's pages on consent
 * (https://segment.com/docs/privacy/consent-management/consent-in-segment-connections/), on Engage (`personas`) and on
 * https://segment.com/docs/unify/identity-resolution/externalids/.
 */
const contextParts: ReadonlySet<string> = new Set([
  "app",
  "campaign",
  "consent",
  "device",
  "externalIds",
  "library",
  "location",
  "network",
  "os",
  "page",
  "personas",
  "referrer",
  "screen",
  "traits",
  "userAgentData",
]);

/** Other texts, such as the name of a place in `location`, are never tried: each failure would cost microseconds. */
const mayBeContainer = /^\s*(?:[[{]|null\s*$)/;

/** An object, a list or null for their JSON text; every other value as it is. */
const parsed = (value: Json | undefined): Json | undefined => {
  if (typeof value !== "string" || !mayBeContainer.test(value)) return value;
  const held = tryParseJsonText(value);
  return held === undefined ? value : held;
};

const parsedPart = (value: Json | undefined, name: string): Json | undefined => {
  const part = parsed(value);
  return name === "consent" && isObject(part) ? editKeys(part, ["categoryPreferences"], parsed) : part;
};

const mayBeText = (value: Json | undefined, name: string): boolean =>
  typeof value === "string" ||
  (name === "consent" && isObject(value) && typeof value["categoryPreferences"] === "string");

/** Parses the parts of `context` that are JSON text, and the preferences in `consent`. A text that is no JSON stays. */
export const parseContextParts = (event: JsonObject, repairs: Repairs): JsonObject => {
  const { context } = event;
  if (!isObject(context)) return event;
  const names: string[] = [];
  for (const name in context) if (mayBeText(context[name], name) && contextParts.has(name)) names.push(name);
  const edited = editKeys(context, names, parsedPart);
  if (edited === context) return event;
  repairs.push("context_json_text");
  return { ...event, context: edited };
};
