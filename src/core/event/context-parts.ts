import { tryParseJsonText } from "../json/json-text.ts";
import { type Json, type JsonObject, isObject } from "../json/json.ts";
import { editKeys } from "../json/property-paths.ts";
import type { Repairs } from "./repairs.ts";

/**
 * What Segment defines as objects inside `context`, and `externalIds`, a list. In a `map<string>` they can only be JSON text.
 * Sources: https://segment.com/docs/connections/spec/common/#context (the spec), and Segment's pages on consent
 * (https://segment.com/docs/privacy/consent-management/consent-in-segment-connections/), on Engage (`personas`) and on
 * https://segment.com/docs/unify/identity-resolution/externalids/.
 */
const contextParts =
  "app campaign consent device externalIds library location network os page personas referrer screen traits userAgentData".split(
    " ",
  );

type Value = Json | undefined;

const isText = (value: Value): boolean => typeof value === "string";
const isOneText = (a: Value, b: Value, c: Value): boolean => isText(a) || isText(b) || isText(c);

const hasTextInConsent = ({ consent }: JsonObject): boolean =>
  isObject(consent) && isText(consent["categoryPreferences"]);

// Written out, since a loop over names takes several times as long.
const hasText = (context: JsonObject): boolean => {
  const { app, campaign, consent } = context;
  const { device, externalIds, library } = context;
  const { location, network, os } = context;
  const { page, personas, referrer } = context;
  const { screen, traits, userAgentData } = context;
  return (
    isOneText(app, campaign, consent) ||
    isOneText(device, externalIds, library) ||
    isOneText(location, network, os) ||
    isOneText(page, personas, referrer) ||
    isOneText(screen, traits, userAgentData) ||
    hasTextInConsent(context)
  );
};

/** Other texts, such as the name of a place in `location`, are never tried: each failure would cost microseconds. */
const mayBeContainer = /^\s*(?:[[{]|null\s*$)/;

/** An object, a list or null for their JSON text; every other value as it is. */
const parsed = (value: Value): Value => {
  if (typeof value !== "string" || !mayBeContainer.test(value)) return value;
  const held = tryParseJsonText(value);
  return held === undefined ? value : held;
};

const parsedPart = (value: Value, name: string): Value => {
  const part = parsed(value);
  return name === "consent" && isObject(part) ? editKeys(part, ["categoryPreferences"], parsed) : part;
};

/** Parses the parts of `context` that are JSON text, and the preferences in `consent`. A text that is no JSON stays. */
export const parseContextParts = (event: JsonObject, repairs: Repairs): JsonObject => {
  const { context } = event;
  if (!isObject(context) || !hasText(context)) return event;
  const edited = editKeys(context, contextParts, parsedPart);
  if (edited === context) return event;
  repairs.push("context_json_text");
  return { ...event, context: edited };
};
