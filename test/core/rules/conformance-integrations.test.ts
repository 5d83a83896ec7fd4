import { describe, expect, test } from "vitest";

import type { DecisionRules } from "../../../src/core/decide.ts";
import type { NormalisedEvent } from "../../../src/core/event/event.ts";
import { decideValid } from "../no-rules.ts";

const identify = { type: "identify", userId: "u1", timestamp: "2024-01-02T03:04:05.678Z" } as const;
const engage = { context: { personas: { computation_key: "vip", computation_class: "audience" } } };
const both = { integrationNames: ["Gainsight", "Kafka"] };
const off = { ignoreAllFalse: { engage: false, replays: false } };

/** Parsed from JSON text, in which `__proto__` is an own key; in an object literal it is not. */
const parsed = (text: string) => JSON.parse(text) as NormalisedEvent;

const goes: [rule: string, what: string, fields: NormalisedEvent, rules?: Partial<DecisionRules>][] = [
  ["absent", "no integrations", {}],
  ["absent", "null", { integrations: null }],
  ["absent", "a text", { integrations: "false" }],
  ["absent", "a list", { integrations: [{ All: false }] }],
  ["absent", "an empty list", { integrations: [] }],
  ["absent", "JSON text that does not parse", { integrations: '{"All":false' }],
  ["absent", "a number", { integrations: 0 }],
  ["absent", "a boolean", { integrations: false }],
  ["absent", "an empty object", { integrations: {} }],
  ["all", "All is true", { integrations: { All: true } }],
  ["all", "All is no boolean: null", { integrations: { All: null } }],
  ["all", "All is no boolean: a text", { integrations: { All: "no" } }],
  ["all", "All is no boolean: blank text", { integrations: { All: "" } }],
  ["all", "All is no boolean: a number", { integrations: { All: 2 } }],
  ["all", "All is no boolean: an object", { integrations: { all: {} } }],
  ["all", "All is true as text", { integrations: { All: "True" } }],
  ["own key", "true beats All", { integrations: { All: false, Gainsight: true } }],
  ["own key", "an object is on", { integrations: { All: false, Gainsight: { accountId: "1" } } }],
  ["own key", "an empty object is on", { integrations: { All: false, Gainsight: {} } }],
  ["own key", "a text is on", { integrations: { All: false, Gainsight: "off" } }],
  ["own key", "a blank text is on", { integrations: { All: false, Gainsight: " " } }],
  ["own key", "a number is on", { integrations: { All: false, Gainsight: 2 } }],
  ["own key", "true as text beats All as text", { integrations: { All: "false", Gainsight: "true" } }],
  ["own key", "true as number beats All as number", { integrations: { All: 0, Gainsight: 1 } }],
  ["own key", "an object with a false in it is on", { integrations: { Gainsight: { enabled: false } } }],
  ["own key", "null is on", { integrations: { All: false, Gainsight: null } }],
  ["own key", "a list is on", { integrations: { All: false, Gainsight: [] } }],
  ["own key", "in another case it is another's", { integrations: { gainsight: false } }],
  ["own key", "a longer name is another's", { integrations: { "Gainsight PX": false } }],
  ["own key", "others' false is theirs", { integrations: { Mixpanel: false, Amplitude: false } }],
  ["names", "the second name is on", { integrations: { All: false, Kafka: true } }, both],
  ["names", "__proto__ is a key as any", { integrations: parsed('{"__proto__":false,"constructor":false}') }],
  ["engage", "All: false counts for nothing", { ...engage, integrations: { All: false, Kafka: { x: 1 } } }],
  [
    "engage",
    "personas as JSON text",
    { context: { personas: '{"computation_key":"vip"}' }, integrations: { All: "0" } },
  ],
  ["replay", "All: false counts for nothing", { replay: { id: "r" }, integrations: { All: false } }],
  ["replay", "also as true", { replay: true, integrations: { All: false, Kafka: true } }],
  ["engage", "named, with the excuse off", { ...engage, integrations: { All: false, Kafka: {} } }, { ...both, ...off }],
];

const filtered: typeof goes = [
  ["all", "All is false", { integrations: { All: false } }],
  ["all", "all in lower case", { integrations: { all: false } }],
  ["all", "ALL in upper case", { integrations: { ALL: false } }],
  ["all", "one All of two is false", { integrations: { all: true, All: false } }],
  ["all", "another's key changes nothing", { integrations: { All: false, Mixpanel: true } }],
  ["all", "All is false as text", { integrations: { All: "false" } }],
  ["all", "all is false as text in another case, with blanks", { integrations: { all: " FALSE " } }],
  ["all", "All is false as the text of a number", { integrations: { All: "0" } }],
  ["all", "All is false as a number", { integrations: { All: 0 } }],
  ["all", "All is false in JSON text", { integrations: '{"All":"False"}' }],
  ["own key", "false as text", { integrations: { Gainsight: "false" } }],
  ["own key", "false as text in another case", { integrations: { Gainsight: "False" } }],
  ["own key", "false as text with blanks", { integrations: { Gainsight: " FALSE " } }],
  ["own key", "false as the text of a number", { integrations: { Gainsight: "0" } }],
  ["own key", "false as the text of a double", { integrations: { Gainsight: "0.0" } }],
  ["own key", "false as a number", { integrations: { Gainsight: 0 } }],
  ["own key", "false as text beats All", { integrations: { All: "true", Gainsight: "false" } }],
  ["own key", "false beats All", { integrations: { All: true, Gainsight: false } }],
  ["own key", "false alone", { integrations: { Gainsight: false } }],
  ["own key", "in another case it is not ours", { integrations: { All: false, GAINSIGHT: true } }],
  [
    "own key",
    "what every object inherits is no key",
    { integrations: { All: false } },
    { integrationNames: ["toString"] },
  ],
  ["names", "a name that is not accepted", { integrations: { All: false, Kafka: true } }],
  ["names", "one false of two wins", { integrations: { Gainsight: true, Kafka: false } }, both],
  ["names", "one false of two wins in the other order", { integrations: { Kafka: {}, Gainsight: false } }, both],
  [
    "names",
    "__proto__ as a name",
    { integrations: parsed('{"__proto__":false}') },
    { integrationNames: ["__proto__"] },
  ],
  ["engage", "an explicit false wins", { ...engage, integrations: { All: false, Gainsight: false } }],
  ["engage", "an explicit false for the feed's name wins", { ...engage, integrations: { Kafka: false } }, both],
  ["engage", "its own setting off", { ...engage, integrations: { All: false } }, off],
  [
    "engage",
    "the other's setting is another's",
    { ...engage, integrations: { All: false } },
    {
      ignoreAllFalse: { engage: false, replays: true },
    },
  ],
  ["engage", "null personas are none", { context: { personas: null }, integrations: { All: false } }],
  ["engage", "personas that are blank text are none", { context: { personas: "" }, integrations: { All: "false" } }],
  ["engage", "personas that say false are none", { context: { personas: "false" }, integrations: { All: "false" } }],
  ["engage", "empty personas are none", { context: { personas: {} }, integrations: { All: false } }],
  ["engage", "an empty list of PHP is none", { context: { personas: [] }, integrations: { All: false } }],
  ["engage", "empty JSON text is none", { context: { personas: "{}" }, integrations: { All: false } }],
  [
    "engage",
    "the personas of a record with fixed fields may hold nothing",
    { context: { personas: { computation_key: null, computation_class: "" } }, integrations: { All: false } },
  ],
  ["replay", "an empty replay is none", { replay: {}, integrations: { All: false } }],
  ["engage", "personas that say null are none", { context: { personas: "null" }, integrations: { All: "false" } }],
  ["engage", "personas elsewhere are none", { personas: {}, traits: engage.context, integrations: { All: false } }],
  ["replay", "an explicit false wins", { replay: true, integrations: { Gainsight: false } }],
  [
    "replay",
    "its own setting off",
    { replay: true, integrations: { All: false } },
    {
      ignoreAllFalse: { engage: true, replays: false },
    },
  ],
  ["replay", "false is none", { replay: false, integrations: { All: false } }],
  ["replay", "false as text is none", { replay: "false", integrations: { All: false } }],
  ["replay", "blank text is none", { replay: "", integrations: { All: false } }],
  ["replay", "zero is none", { replay: 0, integrations: { All: false } }],
  ["replay", "null is none", { replay: null, integrations: { All: false } }],
  ["replay", "inside context it is none", { context: { replay: true }, integrations: { All: false } }],
];

describe("integrations", () => {
  test.each(goes)("%s: passes %s", (_, __, fields, rules) => {
    expect(decideValid({ ...identify, ...fields }, rules)).toMatchObject({ kind: "call" });
  });

  test.each(filtered)("%s: filters %s", (_, __, fields, rules) => {
    expect(decideValid({ ...identify, ...fields }, rules)).toBe("filtered_by_integrations_object");
  });

  test.each(["track", "group"])("apply to %s events too", (type) => {
    const event = { ...identify, type, event: "Opened", groupId: "g1", integrations: { All: false } };
    expect(decideValid(event)).toBe("filtered_by_integrations_object");
  });
});
