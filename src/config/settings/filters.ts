import { z } from "zod";

import { camelCaseNames } from "../../core/event/envelope-names.ts";
import { orText } from "../config-error.ts";
import { listOf, strictMap, maxItems, nonEmptyText } from "./kinds.ts";

const identityFields = ["userId", "anonymousId", "groupId"];
const envelopeFields = ["type", "messageId", "timestamp", "event"];

/** `\.` is a dot inside a key. A star is a wildcard only alone, so a name must not hold one: readers would take it for a wildcard. */
const isPropertyPath = (path: string): boolean =>
  path
    .split(/(?<!\\)\./)
    .every((segment) => segment === "*" || (segment !== "" && segment === segment.trim() && !segment.includes("*")));

const pathWant = "a path such as traits.email, without spaces around a key; * alone matches one key or one list item";

/** Rules see camelCase names. A rule on `user_id` would find nothing, so personal data would leave unchanged. */
const isCamelCasePath = (path: string): boolean => !camelCaseNames.has(path.split(".", 1)[0] ?? "");
const camelWant =
  "a path that begins in camelCase, such as userId instead of user_id, because rules see repaired events";

// An empty path has its error already.
const path = nonEmptyText(pathWant)
  .refine((text) => text === "" || isPropertyPath(text), { error: pathWant })
  .refine(isCamelCasePath, { error: camelWant });

/** A path to a part of the event that may change: not to a protected field, by its name or by a `*`. */
const mutablePath = (protectedFields: readonly string[]) => {
  const error = `${pathWant}; it must begin with a name, and not be ${orText(protectedFields)}: order and identity depend on them`;
  return path.refine((text) => !text.startsWith("*") && !protectedFields.includes(text), { error });
};

/** Order and identity depend on the fields of the envelope, so they stay. An id may become its hash. */
const droppedPath = mutablePath([...envelopeFields, ...identityFields]);
const hashedPath = mutablePath(envelopeFields);

const scalarWant = "text, a number, true, false or null; quote a whole number beyond 2^53";

const isExact = (number: number): boolean => !Number.isInteger(number) || Number.isSafeInteger(number);

const scalar = z.union([z.string(), z.number().refine(isExact, { error: scalarWant }), z.boolean(), z.null()], {
  error: scalarWant,
});

const asList = <T>(value: T | T[]): T[] => (Array.isArray(value) ? value : [value]);

const typeWant = "identify, track or group, or a list of them";
const type = z.enum(["identify", "track", "group"], { error: typeWant });
const eventWant = "the name of a track event, or a list of names";
const event = nonEmptyText(eventWant);

const operators = ["equals", "in", "matches"];

const condition = strictMap(
  {
    type: z
      .union([type, listOf(type, typeWant).min(1)], { error: typeWant })
      .transform(asList)
      .optional()
      .meta({ description: "The type of the event: identify, track or group, or a list of them", examples: ["track"] }),
    event: z
      .union([event, listOf(event, eventWant).min(1)], { error: eventWant })
      .transform(asList)
      .optional()
      .meta({
        description: "The name of a track event, or a list of names. `eventMatching` says how they are compared",
        examples: ["Order Completed", ["Page Pinged", "Heartbeat"]],
      }),
    path: path.optional().meta({
      description:
        "The path of a value in the event, with `equals`, `in` or `matches`. `*` matches one key or one list item",
      examples: ["properties.plan", "context.page.url", "properties.items.*.sku"],
    }),
    equals: scalar.optional().meta({ description: "The value at `path` is equal to this", examples: ["free"] }),
    in: listOf(scalar, "a list of values such as [free, trial]")
      .min(1)
      .optional()
      .meta({ description: "The value at `path` is one of these", examples: [["free", "trial"]] }),
    matches: nonEmptyText("text of 1 to 1,000 characters, in which * matches any characters")
      .optional()
      .meta({
        description: "The value at `path` is text that matches this; `*` matches any characters",
        examples: ["*@example.com"],
      }),
  },
  "a map such as { type: track, path: properties.plan, equals: free }",
)
  .refine((value) => operators.filter((name) => name in value).length === ("path" in value ? 1 : 0), {
    error: "path with exactly one of equals, in and matches, or none of the four",
    // Runs although another part may be wrong, so that one run reports every mistake.
    when: ({ value }) => typeof value === "object" && value !== null,
  })
  .meta({ id: "Condition", description: "All conditions must hold" });

const whenCondition = condition
  .optional()
  .meta({ description: "The events to which the filter applies; all conditions must hold. Without it: every event" });

const actionWant = "drop_event, drop_property or sample";
const mapWant = "a map such as { action: drop_event, when: { type: track, event: Heartbeat } }";
const percentWant = "a number from 0 to 100";

const percent = z
  .number({ error: percentWant })
  .min(0, { error: percentWant })
  .max(100, { error: percentWant })
  .meta({ description: "The percentage of users to keep", examples: [10, 0.5] });

const pathScopeText = "keys also match inside lists and JSON text, and `*` matches one key or one list item";

const removedPath = droppedPath.meta({
  description: `The path of the property: ${pathScopeText}. A path to \`traits\` also covers \`context.traits\``,
  examples: ["context.ip", "properties.items.*.cost"],
});

const filter = z.discriminatedUnion(
  "action",
  [
    strictMap({ action: z.literal("drop_event"), when: whenCondition }, mapWant).meta({
      description: "Drops the event",
    }),
    strictMap({ action: z.literal("drop_property"), path: removedPath, when: whenCondition }, mapWant).meta({
      description: "Drops the property at `path`",
    }),
    strictMap(
      {
        action: z.literal("sample"),
        percent,
        when: whenCondition,
      },
      mapWant,
    ).meta({ description: "Keeps only the events of this percentage of users, always of the same users" }),
  ],
  { error: ({ path: issuePath }) => (issuePath?.at(-1) === "action" ? actionWant : mapWant) },
);

export const filters = listOf(
  filter,
  `a list of at most ${maxItems} filters, such as [{ action: sample, percent: 10 }]`,
);

const pathsWant = "a list of paths such as [traits.email, context.ip]";

export const pii = strictMap(
  {
    drop: listOf(droppedPath, pathsWant)
      .default([])
      .meta({
        description: `The paths of values to remove: ${pathScopeText}`,
        examples: [["context.ip", "properties.card.number"]],
      }),
    hash: listOf(hashedPath, pathsWant)
      .default([])
      .meta({
        description: `The paths of values to replace by their SHA-256 in hex: ${pathScopeText}`,
        examples: [["traits.email", "traits.phone"]],
      }),
  },
  "a map such as { drop: [context.ip], hash: [traits.email] }",
);
