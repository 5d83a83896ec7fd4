import { tryParseJsonText } from "../json/json-text.ts";
import { type Json, type JsonObject, isObject, isText } from "../json/json.ts";
import { editKeys } from "../json/property-paths.ts";
import { type Repairs, addRepair } from "./repairs.ts";

/**
 * The parts of `context` that Segment defines as objects, and `externalIds`, which is a list. A producer whose Avro schema has a
 * `map<string>` for `context` can only write them as JSON text.
 * Sources: https://segment.com/docs/connections/spec/common/#context,
 * https://segment.com/docs/privacy/consent-management/consent-in-segment-connections/ (`consent`),
 * https://segment.com/docs/unify/identity-resolution/externalids/ (`externalIds`), and Segment's pages on Engage (`personas`).
 */
const contextPartNames =
  "app campaign consent device externalIds library location network os page personas referrer screen traits userAgentData".split(
    " ",
  );

type MaybeJson = Json | undefined;

const isAnyText = (a: MaybeJson, b: MaybeJson, c: MaybeJson): boolean => isText(a) || isText(b) || isText(c);

const hasPreferencesText = ({ consent }: JsonObject): boolean =>
  isObject(consent) && isText(consent["categoryPreferences"]);

// Written out because a loop over the names takes several times as long.
const hasTextPart = (context: JsonObject): boolean => {
  const { app, campaign, consent } = context;
  const { device, externalIds, library } = context;
  const { location, network, os } = context;
  const { page, personas, referrer } = context;
  const { screen, traits, userAgentData } = context;
  return (
    isAnyText(app, campaign, consent) ||
    isAnyText(device, externalIds, library) ||
    isAnyText(location, network, os) ||
    isAnyText(page, personas, referrer) ||
    isAnyText(screen, traits, userAgentData) ||
    hasPreferencesText(context)
  );
};

/** Only such texts are parsed. A failed parse of another text, such as a city's name in `location`, costs microseconds. */
const mayBeContainer = /^\s*(?:[[{]|null\s*$)/;

/** Parses JSON text of an object, a list or null. Returns every other value unchanged; a JSON string inside stays a string. */
const parseIfContainer = (value: MaybeJson): MaybeJson => {
  if (!isText(value) || !mayBeContainer.test(value)) return value;
  const content = tryParseJsonText(value);
  return content === undefined ? value : content;
};

const parseContextPart = (value: MaybeJson, name: string): MaybeJson => {
  const part = parseIfContainer(value);
  return name === "consent" && isObject(part) ? editKeys(part, ["categoryPreferences"], parseIfContainer) : part;
};

/** Parses the parts of `context`, and `consent.categoryPreferences`, that are JSON text. A text that is not JSON stays unchanged. */
export const parseContextParts = (event: JsonObject, repairs: Repairs): JsonObject => {
  const { context } = event;
  if (!isObject(context) || !hasTextPart(context)) return event;
  const edited = editKeys(context, contextPartNames, parseContextPart);
  if (edited === context) return event;
  addRepair(repairs, "context_json_text");
  return { ...event, context: edited };
};
