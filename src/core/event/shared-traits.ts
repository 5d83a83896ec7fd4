import { type Json, type JsonObject, isAbsent, isObject, objectAt } from "../json/json.ts";
import type { RawEvent } from "./event.ts";
import type { Repairs } from "./repairs.ts";

const isEmpty = (value: Json | undefined): boolean =>
  isAbsent(value) || (typeof value === "object" && value !== null && Object.keys(value).length === 0);

/**
 * RudderStack's libraries write the traits of an identify into `context.traits` only: those are its traits. They stay in
 * the context too, as the same object: see `keepTraitsOne`.
 */
export const traitsFromContext = (event: JsonObject, repairs: Repairs): JsonObject => {
  if (event["type"] !== "identify" || !isEmpty(event["traits"])) return event;
  const { traits } = objectAt(event, "context");
  if (!isObject(traits) || isEmpty(traits)) return event;
  repairs.push("traits_from_context");
  return { ...event, traits };
};

/** The paths of data, each once; one to traits also stands for the same traits in the context. */
export const withContextTraits = (paths: readonly string[]): readonly string[] => [
  ...new Set(
    paths.flatMap((path) => (path === "traits" || path.startsWith("traits.") ? [path, `context.${path}`] : [path])),
  ),
];

/**
 * An edit of events whose traits may be those of the context, one object in two places: they stay one. Else a rule on
 * `context.traits.email` would leave the email in the copy of our own making. What the context keeps counts, since rules on
 * traits concern it as well; what is edited in `traits` alone goes there too.
 */
export const keepTraitsOne =
  (edit: (raw: RawEvent) => RawEvent): ((raw: RawEvent) => RawEvent) =>
  (raw) => {
    const edited = edit(raw);
    const { traits } = raw;
    if (edited === raw || !isObject(traits) || objectAt(raw, "context")["traits"] !== traits) return edited;
    const context = objectAt(edited, "context");
    if (context["traits"] !== traits) return { ...edited, traits: context["traits"] };
    return { ...edited, context: { ...context, traits: edited["traits"] } };
  };
