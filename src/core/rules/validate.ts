import { type DeliveredType, builtInSkippedTypes, isDeliveredType, toComparableType } from "../event/event-types.ts";
import type { NormalisedEvent } from "../event/event.ts";
import { type Dead, dead } from "../outcome/outcome.ts";

/** The type of a valid event; `other` is any type that Gainsight has no use for, such as page. */
export type EventType = DeliveredType | "other";

/** The rules that an event can break. Most names are those of Segment's public API. */
export type InvalidRule =
  | "type_missing"
  | "type_unknown"
  | "no_user_anon_id"
  | "id_not_string"
  | "event_not_defined"
  | "group_id_not_defined"
  | "traits_not_object"
  | "properties_not_object";

const ruleTexts: Record<InvalidRule, string> = {
  type_missing: "`type` must be a non-empty string",
  type_unknown: `\`type\` must be identify, track or group, a type that is always skipped (${builtInSkippedTypes.join(", ")}), or a type in the setting \`skippedTypes\``,
  no_user_anon_id: "Either `userId` or `anonymousId` must be a non-empty string",
  id_not_string: "`messageId`, `userId`, `anonymousId` and `groupId` must be strings",
  event_not_defined: "A track call needs `event`, a non-empty string",
  group_id_not_defined: "A group call needs `groupId`, a non-empty string",
  traits_not_object: "`traits` must be an object or null",
  properties_not_object: "`properties` must be an object or null",
};

const isNonEmptyText = (value: unknown): value is string => typeof value === "string" && value !== "";
const isTextOrAbsent = (value: unknown): boolean => value === undefined || value === null || typeof value === "string";
const isObjectOrAbsent = (value: unknown): boolean =>
  value === undefined || value === null || (typeof value === "object" && !Array.isArray(value));

const checkedIdNames = ["messageId", "userId", "anonymousId", "groupId"] as const;

/** What is checked of an identify, a track or a group, in this order. */
const rules: readonly (readonly [InvalidRule, isKept: (event: NormalisedEvent) => boolean])[] = [
  ["id_not_string", (event) => checkedIdNames.every((name) => isTextOrAbsent(event[name]))],
  ["no_user_anon_id", ({ userId, anonymousId }) => isNonEmptyText(userId) || isNonEmptyText(anonymousId)],
  ["event_not_defined", ({ type, event: name }) => type !== "track" || isNonEmptyText(name)],
  ["group_id_not_defined", ({ type, groupId }) => type !== "group" || isNonEmptyText(groupId)],
  ["traits_not_object", ({ traits }) => isObjectOrAbsent(traits)],
  ["properties_not_object", ({ properties }) => isObjectOrAbsent(properties)],
];

const invalid = (rule: InvalidRule): Dead => ({ ...dead("invalid_event", `${rule}: ${ruleTexts[rule]}`), rule });

/** The built-in skipped types and those of the setting `skippedTypes`, in the form in which types are compared. */
export const createSkippedTypes = (addedTypes: readonly string[]): ReadonlySet<string> =>
  new Set([...builtInSkippedTypes, ...addedTypes.map(toComparableType)]);

const defaultSkippedTypes = createSkippedTypes([]);

/**
 * Checks Segment's rules for the envelope of an event. Returns the event's type, or `dead(invalid_event)` whose error starts with
 * the name of the first broken rule. An event of a skipped type is valid whatever else is wrong with it.
 * Source: https://segment.com/docs/connections/spec/common/ and https://segment.com/docs/connections/spec/
 */
export const validateEvent = (
  event: NormalisedEvent,
  skippedTypes: ReadonlySet<string> = defaultSkippedTypes,
): EventType | Dead => {
  const { type } = event;
  if (!isNonEmptyText(type)) return invalid("type_missing");
  if (!isDeliveredType(type)) return skippedTypes.has(toComparableType(type)) ? "other" : invalid("type_unknown");
  const [broken] = rules.find(([, isKept]) => !isKept(event)) ?? [];
  return broken === undefined ? type : invalid(broken);
};

/** The user of an event: `userId`, else `anonymousId`, else `groupId`. Events of one user are delivered in order. */
export const userOf = ({ userId, anonymousId, groupId }: NormalisedEvent): string | undefined =>
  [userId, anonymousId, groupId].find(isNonEmptyText);
