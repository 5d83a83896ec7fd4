import { z } from "zod";

import { deadLetterLimit, limitDefault } from "./dead-letters.ts";
import { dedupe, dedupeDefault } from "./dedupe.ts";
import { filters, pii } from "./filters.ts";
import { listOf, mapOf, maxItems, part, wantedText } from "./kinds.ts";
import { hasNames, refuseNameless } from "./names.ts";
import { skippedTypes } from "./types.ts";

const namesWant = "a list of event names as text, such as [Order Completed]";
const matchingWant = "'loose' or 'exact'";
const flag = z.boolean({ error: "true or false" });

const integrationWant = "a list of names such as [Gainsight], at least one; All is none";
const integrationName = wantedText(integrationWant).refine((name) => name.toLowerCase() !== "all", {
  error: integrationWant,
});

const categoriesWant = "a list of consent categories as text, such as [Marketing]";

const typesWant = "a map of names to boolean or number, such as { isTrial: boolean, seats: number }";

const typed = (what: string) =>
  part(
    mapOf(
      {
        types: z
          .record(z.string(), z.enum(["boolean", "number"], { error: "boolean or number" }), { error: typesWant })
          .refine((types) => Object.keys(types).length <= maxItems, { error: `at most ${maxItems} names` })
          .default({})
          .meta({
            description: `Which ${what} that come as text are numbers or booleans: "12" → 12, "true" → true`,
            examples: [{ isTrial: "boolean", seats: "number" }],
          }),
      },
      "a map such as { types: { seats: number } }",
    ),
    { types: {} },
    { description: `For topics whose ${what} are all text, as those of an Avro map<string>` },
  );

/** What the settings file takes, what is wanted where it is wrong, and what editors tell of it. */
export const settingsSchema = mapOf(
  {
    events: part(listOf(wantedText(namesWant), namesWant, 10_000), [], {
      description: "The track events that go to Gainsight. Empty: all of them. It never concerns identify and group",
      examples: [["Order Completed", "Signed Up"]],
    }),
    eventMatching: part(z.enum(["loose", "exact"], { error: matchingWant }), "loose", {
      description:
        "How names of events are compared. loose: only letters and digits count, in any case; exact: character by character",
    }),
    skippedTypes,
    integrationNames: part(listOf(integrationName, integrationWant).min(1, { error: integrationWant }), ["Gainsight"], {
      description:
        "Under which names this destination is looked up in an event's integrations. Case counts. false blocks, also as text or 0",
      examples: [["Gainsight", "Kafka"]],
    }),
    ignoreAllFalse: part(
      mapOf(
        {
          engage: flag
            .default(true)
            .meta({ description: "In events of Engage, which name only the destination that fed the topic" }),
          replays: flag.default(true).meta({ description: "In replayed events" }),
        },
        "a map such as { engage: true, replays: true }",
      ),
      { engage: true, replays: true },
      {
        description:
          "Where integrations says All: false, and not a word about this destination, the event goes all the same",
      },
    ),
    consent: part(
      mapOf(
        {
          categories: listOf(wantedText(categoriesWant), categoriesWant)
            .default([])
            .meta({
              description:
                "Categories of consent that this destination needs. Each one that an event states must be true",
              examples: [["Marketing"]],
            }),
        },
        "a map such as { categories: [Marketing] }",
      ),
      { categories: [] },
      {
        description:
          "Events of users who have refused one of these categories, or whose answer cannot be read, are skipped",
        examples: [{ categories: ["Marketing"] }],
      },
    ),
    dedupe: part(dedupe, dedupeDefault, {
      description: "How long the messageId of a delivered event is remembered, so that it goes once. false: not at all",
      default: { window: "24h", maxEvents: dedupeDefault.maxEvents },
      examples: [false],
    }),
    deadLetterLimit: part(deadLetterLimit, limitDefault, {
      description: "How many dead letters are too many: then events wait until this is changed. false: never",
      examples: [false],
    }),
    failOnResultFalse: part(flag, false, {
      description:
        "A 2xx from Gainsight whose body says result: false is a failure, by its errorCode. false: the event counts as delivered; it is counted and logged once an hour",
    }),
    paused: part(flag, false, {
      description: "An operator's stop: nothing is taken up or started while it is true; what is in flight ends",
    }),
    traits: typed("traits"),
    properties: typed("properties"),
    filters: part(filters, [], {
      description:
        "Tried in order, each on what the ones before it left: drop an event, drop a property, keep a sample",
      examples: [[{ action: "drop_event", when: { type: "track", event: "Heartbeat" } }]],
    }),
    pii: part(
      pii,
      { drop: [], hash: [] },
      {
        description:
          "Personal data that is left out of every event, or goes as its SHA-256. A path to traits also covers context.traits",
        examples: [{ drop: ["context.ip"], hash: ["traits.email"] }],
      },
    ),
  },
  "",
)
  .superRefine(refuseNameless, { when: hasNames })
  .meta({
    title: "Settings of gainstream",
    description: "All optional. Taken up while running; a wrong file is refused, and the settings before it stay",
  });
