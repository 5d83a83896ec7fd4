import { type Json, type JsonObject, isBlank, isObject, objectAt } from "../json/json.ts";
import type { EditEvent } from "./event.ts";
import { type Repairs, addRepair } from "./repairs.ts";

const isBlankOrEmpty = (value: Json | undefined): boolean =>
  isBlank(value) || (typeof value === "object" && value !== null && Object.keys(value).length === 0);

/**
 * Copies `context.traits` to `traits` if an identify has no traits: RudderStack's libraries write them into the context only. Both
 * places then hold the same object; `preserveSharedTraits` keeps it so.
 */
export const copyContextTraits = (event: JsonObject, repairs: Repairs): JsonObject => {
  if (event["type"] !== "identify" || !isBlankOrEmpty(event["traits"])) return event;
  const { traits } = objectAt(event, "context");
  if (!isObject(traits) || isBlankOrEmpty(traits)) return event;
  addRepair(repairs, "traits_from_context");
  return { ...event, traits };
};

/** The given paths without duplicates. For each path into `traits`, the same path into `context.traits` is added. */
export const withContextTraitPaths = (paths: readonly string[]): readonly string[] => [
  ...new Set(
    paths.flatMap((path) => (path === "traits" || path.startsWith("traits.") ? [path, `context.${path}`] : [path])),
  ),
];

/**
 * Wraps an edit so that `traits` and `context.traits` stay one object if they were one before (see `copyContextTraits`). Otherwise a
 * rule that removes `context.traits.email` would leave the email in `traits`, a copy that gainstream made. If the edit changed
 * `context.traits`, that result is used for both; otherwise the result in `traits` is.
 */
export const preserveSharedTraits =
  (edit: EditEvent): EditEvent =>
  (event) => {
    const edited = edit(event);
    const { traits } = event;
    if (edited === event || !isObject(traits) || objectAt(event, "context")["traits"] !== traits) return edited;
    const context = objectAt(edited, "context");
    if (context["traits"] !== traits) return { ...edited, traits: context["traits"] };
    return { ...edited, context: { ...context, traits: edited["traits"] } };
  };
