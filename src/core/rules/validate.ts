import { toComparableType, builtInSkippedTypes } from "../event/event-types.ts";
import type { RawEvent, SegmentEvent } from "../event/event.ts";
import { type Dead, dead } from "../outcome/outcome.ts";

/** The rules an event can break, named as Segment's own public API names them where it does. */
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
  type_unknown: `\`type\` must be identify, track or group, or one that is skipped: ${builtInSkippedTypes.join(", ")}, or what \`skippedTypes\` of the settings names`,
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

const isDeliveredType = ({ type }: RawEvent): boolean => type === "identify" || type === "track" || type === "group";

const rules: readonly (readonly [InvalidRule, (raw: RawEvent) => boolean])[] = [
  ["type_missing", (raw) => isNonEmptyText(raw["type"])],
  ["type_unknown", isDeliveredType],
  ["id_not_string", (raw) => checkedIdNames.every((name) => isTextOrAbsent(raw[name]))],
  ["no_user_anon_id", (raw) => isNonEmptyText(raw["userId"]) || isNonEmptyText(raw["anonymousId"])],
  ["event_not_defined", (raw) => raw["type"] !== "track" || isNonEmptyText(raw["event"])],
  ["group_id_not_defined", (raw) => raw["type"] !== "group" || isNonEmptyText(raw["groupId"])],
  ["traits_not_object", (raw) => isObjectOrAbsent(raw["traits"])],
  ["properties_not_object", (raw) => isObjectOrAbsent(raw["properties"])],
];

const findBrokenRule = (raw: RawEvent): InvalidRule | undefined => rules.find(([, isKept]) => !isKept(raw))?.[0];

const textOrEmpty = (value: unknown): string => (typeof value === "string" ? value : "");

/** The types that are skipped, with those that the settings add. */
export const createSkippedTypes = (addedTypes: readonly string[]): ReadonlySet<string> =>
  new Set([...builtInSkippedTypes, ...addedTypes.map(toComparableType)]);

const defaultSkippedTypes = createSkippedTypes([]);

/**
 * Checks Segment's rules for the envelope of an event in its normal form: a typed event, or `dead(invalid_event)` whose
 * error starts with the broken rule.
 */
export const parseEvent = (
  raw: RawEvent,
  allSkippedTypes: ReadonlySet<string> = defaultSkippedTypes,
): SegmentEvent | Dead => {
  const type = textOrEmpty(raw["type"]);
  // What Gainsight has no use for is skipped, whatever else is wrong with it.
  if (!isDeliveredType(raw) && allSkippedTypes.has(toComparableType(type))) return { type: "other", name: type, raw };
  const broken = findBrokenRule(raw);
  if (broken !== undefined) return { ...dead("invalid_event", `${broken}: ${ruleTexts[broken]}`), rule: broken };
  if (type === "track") return { type, event: textOrEmpty(raw["event"]), raw };
  if (type === "group") return { type, groupId: textOrEmpty(raw["groupId"]), raw };
  return { type: "identify", raw };
};

/** Whose event it is: userId, else anonymousId, else groupId. Events of one user are delivered in order. */
export const userOf = (raw: RawEvent): string | undefined =>
  [raw["userId"], raw["anonymousId"], raw["groupId"]].find(isNonEmptyText);
