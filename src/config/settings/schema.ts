import { z } from "zod";

import { deadLetterLimit, deadLetterLimitDefault } from "./dead-letters.ts";
import { dedupe, dedupeDefault } from "./dedupe.ts";
import { filters, pii } from "./filters.ts";
import { listOf, strictMap, maxItems, optionalSection, nonEmptyText } from "./kinds.ts";
import { canCheckNames, refuseEmptyLooseNames } from "./names.ts";
import { skippedTypes } from "./types.ts";

const namesWant = "a list of event names as text, such as [Order Completed]";
const matchingWant = "'loose' or 'exact'";
const booleanSetting = z.boolean({ error: "true or false" });

const integrationWant = "a list of at least one name, such as [Gainsight], and not All";
const integrationName = nonEmptyText(integrationWant).refine((name) => name.toLowerCase() !== "all", {
  error: integrationWant,
});

const categoriesWant = "a list of consent categories as text, such as [Marketing]";

const typesWant = "a map of names to boolean or number, such as { isTrial: boolean, seats: number }";

const typeConversion = (parts: string) =>
  optionalSection(
    strictMap(
      {
        types: z
          .record(z.string(), z.enum(["boolean", "number"], { error: "boolean or number" }), { error: typesWant })
          .refine((types) => Object.keys(types).length <= maxItems, { error: `at most ${maxItems} names` })
          .default({})
          .meta({
            description: `Converts ${parts} from text to a number or a boolean: \`"12"\` → \`12\`, \`"true"\` → \`true\``,
            examples: [{ isTrial: "boolean", seats: "number" }],
          }),
      },
      "a map such as { types: { seats: number } }",
    ),
    { types: {} },
    { description: `For topics in which all ${parts} are text, such as those of an Avro \`map<string>\`` },
  );

/** The settings file: its values, the texts of its errors, and the descriptions for editors and the documentation. */
export const settingsSchema = strictMap(
  {
    events: optionalSection(listOf(nonEmptyText(namesWant), namesWant, 10_000), [], {
      description:
        "The track events to deliver; an empty list delivers all. identify and group events are always delivered",
      examples: [["Order Completed", "Signed Up"]],
    }),
    eventMatching: optionalSection(z.enum(["loose", "exact"], { error: matchingWant }), "loose", {
      description:
        "How event names are compared. `loose`: only letters and digits count, in any case; `exact`: every character counts",
    }),
    skippedTypes,
    integrationNames: optionalSection(
      listOf(integrationName, integrationWant).min(1, { error: integrationWant }),
      ["Gainsight"],
      {
        description:
          'The names of this destination in the `integrations` of an event; case counts. `false`, `"false"` or `0` skips the event',
        examples: [["Gainsight", "Kafka"]],
      },
    ),
    ignoreAllFalse: optionalSection(
      strictMap(
        {
          engage: booleanSetting.default(true).meta({
            description: "Applies to events of Engage, which mention only the destination that wrote the topic",
          }),
          replays: booleanSetting.default(true).meta({ description: "Applies to replayed events" }),
        },
        "a map such as { engage: true, replays: true }",
      ),
      { engage: true, replays: true },
      {
        description: "Delivers events with `All: false` in `integrations` that do not mention this destination",
      },
    ),
    consent: optionalSection(
      strictMap(
        {
          categories: listOf(nonEmptyText(categoriesWant), categoriesWant)
            .default([])
            .meta({
              description:
                "The consent categories that this destination needs. If an event states one of them, its value must be `true`",
              examples: [["Marketing"]],
            }),
        },
        "a map such as { categories: [Marketing] }",
      ),
      { categories: [] },
      {
        description: "Skips events of users who have refused a consent category, or whose consent cannot be read",
        examples: [{ categories: ["Marketing"] }],
      },
    ),
    dedupe: optionalSection(dedupe, dedupeDefault, {
      description: "Skips an event if one with the same `messageId` was delivered before. `false` turns this off",
      default: { window: "24h", maxEvents: dedupeDefault.maxEvents },
      examples: [false],
    }),
    deadLetterLimit: optionalSection(deadLetterLimit, deadLetterLimitDefault, {
      description:
        "At this limit of dead letters, events wait until somebody changes the setting. `false` turns the limit off",
      examples: [false],
    }),
    failOnResultFalse: optionalSection(booleanSetting, false, {
      description:
        "Treats a 2xx from Gainsight with `result: false` in its body as a failure. Otherwise the event counts as delivered, with a count and a log line",
    }),
    paused: optionalSection(booleanSetting, false, {
      description: "Stops the deliveries while it is `true`. Calls in flight still end",
    }),
    traits: typeConversion("traits"),
    properties: typeConversion("properties"),
    filters: optionalSection(filters, [], {
      description:
        "Filters that drop an event, drop a property, or sample users. They run in order, each on the result of the one before",
      examples: [[{ action: "drop_event", when: { type: "track", event: "Heartbeat" } }]],
    }),
    pii: optionalSection(
      pii,
      { drop: [], hash: [] },
      {
        description:
          "Personal data to remove from every event, or to replace by its hash. A path to `traits` also covers `context.traits`",
        examples: [{ drop: ["context.ip"], hash: ["traits.email"] }],
      },
    ),
  },
  "",
)
  .superRefine(refuseEmptyLooseNames, { when: canCheckNames })
  .meta({
    title: "Settings of gainstream",
    description:
      "All settings are optional. The service reloads the file when it changes; if it has a mistake, the previous settings stay in effect",
  });
