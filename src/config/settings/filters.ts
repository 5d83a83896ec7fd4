import { z } from "zod";

import { camelNames } from "../../core/event/envelope-names.ts";
import { listOf, mapOf, maxItems, wantedText } from "./kinds.ts";

const identity = ["userId", "anonymousId", "groupId"];
const envelope = ["type", "messageId", "timestamp", "event"];

/** A dot that belongs to a key is written `\.`. A star within a name would be taken for a wildcard, which it is not. */
const isPath = (path: string): boolean =>
  path.split(/(?<!\\)\./).every((step) => step === "*" || (step !== "" && step === step.trim() && !step.includes("*")));

const pathWant = "a path such as traits.email, without blanks around a key, with * alone for any one key or list item";

/** By then these names are camelCase: a rule on `user_id` would find nothing, and let a user's address go in clear. */
const isAsRulesSeeIt = (path: string): boolean => !camelNames.has(path.split(".", 1)[0] ?? "");
const camelWant = "a path that begins in camelCase, such as userId for user_id: rules see events in their normal form";

// That it is empty has been said already.
const path = wantedText(pathWant)
  .refine((given) => given === "" || isPath(given), { error: pathWant })
  .refine(isAsRulesSeeIt, { error: camelWant });

/** A path to what may be changed: neither by its name nor by a `*` any of the fields that are kept. */
const changedPath = (kept: readonly string[]) => {
  const error = `${pathWant}; it begins with a name and is none of ${kept.join(", ")}: order and identity hang on them`;
  return path.refine((given) => !given.startsWith("*") && !kept.includes(given), { error });
};

/** Order and identity hang on the fields of an envelope, so they stay; but an id may become its hash. */
const droppedPath = changedPath([...envelope, ...identity]);
const hashedPath = changedPath(envelope);

const scalarWant = "text, a number, true, false or null; a whole number beyond 2^53 as text, in quotes";

const isExact = (number: number): boolean => !Number.isInteger(number) || Number.isSafeInteger(number);

const scalar = z.union([z.string(), z.number().refine(isExact, { error: scalarWant }), z.boolean(), z.null()], {
  error: scalarWant,
});

const toList = <T>(given: T | T[]): T[] => (Array.isArray(given) ? given : [given]);

const typeWant = "identify, track or group, or a list of them";
const type = z.enum(["identify", "track", "group"], { error: typeWant });
const eventWant = "the name of a track event, or a list of names";
const event = wantedText(eventWant);

const operators = ["equals", "in", "matches"];

const condition = mapOf(
  {
    type: z
      .union([type, listOf(type, typeWant).min(1)], { error: typeWant })
      .transform(toList)
      .optional()
      .meta({ description: "Which kind of event: identify, track or group; one or a list", examples: ["track"] }),
    event: z
      .union([event, listOf(event, eventWant).min(1)], { error: eventWant })
      .transform(toList)
      .optional()
      .meta({
        description: "Which track event, by name; one or a list. Compared as eventMatching says",
        examples: ["Order Completed", ["Page Pinged", "Heartbeat"]],
      }),
    path: path.optional().meta({
      description:
        "Where in the event to look; * stands for any one key or list item, and only it goes into a list. With equals, in or matches",
      examples: ["properties.plan", "context.page.url", "properties.items.*.sku"],
    }),
    equals: scalar.optional().meta({ description: "What is found at path is exactly this", examples: ["free"] }),
    in: listOf(scalar, "a list of values such as [free, trial]")
      .min(1)
      .optional()
      .meta({ description: "What is found at path is one of these", examples: [["free", "trial"]] }),
    matches: wantedText("text of 1 to 1,000 characters, in which * stands for any characters")
      .optional()
      .meta({
        description: "What is found at path is text like this; * stands for any characters",
        examples: ["*@example.com"],
      }),
  },
  "a map such as { type: track, path: properties.plan, equals: free }",
)
  .refine((given) => operators.filter((name) => name in given).length === ("path" in given ? 1 : 0), {
    error: "path together with exactly one of equals, in and matches, or none of the four",
    // Also where one of them is wrong in itself: every mistake is reported at once.
    when: ({ value }) => typeof value === "object" && value !== null,
  })
  .meta({ id: "Condition", description: "Everything that is given must hold" });

const when = condition
  .optional()
  .meta({ description: "Which events it is about; everything that is given must hold. Without it: every event" });

const actionWant = "drop_event, drop_property or sample";
const mapWant = "a map such as { action: drop_event, when: { type: track, event: Heartbeat } }";
const percentWant = "a number from 0 to 100";

const percent = z
  .number({ error: percentWant })
  .min(0, { error: percentWant })
  .max(100, { error: percentWant })
  .meta({ description: "How many users of a hundred are kept", examples: [10, 0.5] });

const reach = "A key goes into lists and into JSON text; * stands for any one key or list item";

const removedPath = droppedPath.meta({
  description: `Where it is. ${reach}. A path to traits also covers context.traits`,
  examples: ["context.ip", "properties.items.*.cost"],
});

const filter = z.discriminatedUnion(
  "action",
  [
    mapOf({ action: z.literal("drop_event"), when }, mapWant).meta({ description: "Do not send the event" }),
    mapOf({ action: z.literal("drop_property"), path: removedPath, when }, mapWant).meta({
      description: "Send the event without what is at path",
    }),
    mapOf(
      {
        action: z.literal("sample"),
        percent,
        when,
      },
      mapWant,
    ).meta({ description: "Send the events of this percentage of users only, always of the same ones" }),
  ],
  { error: ({ path: at }) => (at?.at(-1) === "action" ? actionWant : mapWant) },
);

export const filters = listOf(
  filter,
  `a list of at most ${maxItems} filters, such as [{ action: sample, percent: 10 }]`,
);

const pathsWant = "a list of paths such as [traits.email, context.ip]";

export const pii = mapOf(
  {
    drop: listOf(droppedPath, pathsWant)
      .default([])
      .meta({
        description: `Paths to what is left out. ${reach}`,
        examples: [["context.ip", "properties.card.number"]],
      }),
    hash: listOf(hashedPath, pathsWant)
      .default([])
      .meta({
        description: `Paths to what goes as its SHA-256 in hex. ${reach}`,
        examples: [["traits.email", "traits.phone"]],
      }),
  },
  "a map such as { drop: [context.ip], hash: [traits.email] }",
);
