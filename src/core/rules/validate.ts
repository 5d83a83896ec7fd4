import { plainType, skippedTypes } from "../event/event-types.ts";
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

const ruleText: Record<InvalidRule, string> = {
  type_missing: "`type` must be a non-empty string",
  type_unknown: `\`type\` must be identify, track or group, or one that is skipped: ${skippedTypes.join(", ")}, or what \`skippedTypes\` of the settings names`,
  no_user_anon_id: "Either `userId` or `anonymousId` must be a non-empty string",
  id_not_string: "`messageId`, `userId`, `anonymousId` and `groupId` must be strings",
  event_not_defined: "A track call needs `event`, a non-empty string",
  group_id_not_defined: "A group call needs `groupId`, a non-empty string",
  traits_not_object: "`traits` must be an object or null",
  properties_not_object: "`properties` must be an object or null",
};

const isText = (value: unknown): value is string => typeof value === "string" && value !== "";
const isTextOrAbsent = (value: unknown): boolean => value === undefined || value === null || typeof value === "string";
const isObjectOrAbsent = (value: unknown): boolean =>
  value === undefined || value === null || (typeof value === "object" && !Array.isArray(value));

const idNames = ["messageId", "userId", "anonymousId", "groupId"] as const;

const isMeant = ({ type }: RawEvent): boolean => type === "identify" || type === "track" || type === "group";

const rules: readonly (readonly [InvalidRule, (raw: RawEvent) => boolean])[] = [
  ["type_missing", (raw) => isText(raw["type"])],
  ["type_unknown", isMeant],
  ["id_not_string", (raw) => idNames.every((name) => isTextOrAbsent(raw[name]))],
  ["no_user_anon_id", (raw) => isText(raw["userId"]) || isText(raw["anonymousId"])],
  ["event_not_defined", (raw) => raw["type"] !== "track" || isText(raw["event"])],
  ["group_id_not_defined", (raw) => raw["type"] !== "group" || isText(raw["groupId"])],
  ["traits_not_object", (raw) => isObjectOrAbsent(raw["traits"])],
  ["properties_not_object", (raw) => isObjectOrAbsent(raw["properties"])],
];

const findBrokenRule = (raw: RawEvent): InvalidRule | undefined => rules.find(([, holds]) => !holds(raw))?.[0];

const textOf = (value: unknown): string => (typeof value === "string" ? value : "");

/** The types that are skipped, with those that the settings add. */
export const createSkippedTypes = (more: readonly string[]): ReadonlySet<string> =>
  new Set([...skippedTypes, ...more.map(plainType)]);

const builtIn = createSkippedTypes([]);

/**
 * Checks Segment's rules for the envelope of an event in its normal form: a typed event, or `dead(invalid_event)` whose
 * error starts with the broken rule.
 */
export const parseEvent = (raw: RawEvent, skipped: ReadonlySet<string> = builtIn): SegmentEvent | Dead => {
  const type = textOf(raw["type"]);
  // What Gainsight has no use for is skipped, whatever else is wrong with it.
  if (!isMeant(raw) && skipped.has(plainType(type))) return { type: "other", name: type, raw };
  const broken = findBrokenRule(raw);
  if (broken !== undefined) return { ...dead("invalid_event", `${broken}: ${ruleText[broken]}`), rule: broken };
  if (type === "track") return { type, event: textOf(raw["event"]), raw };
  if (type === "group") return { type, groupId: textOf(raw["groupId"]), raw };
  return { type: "identify", raw };
};

/** Whose event it is: userId, else anonymousId, else groupId. Events of one user are delivered in order. */
export const userOf = (raw: RawEvent): string | undefined =>
  [raw["userId"], raw["anonymousId"], raw["groupId"]].find(isText);
