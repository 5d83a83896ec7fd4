import { type Json, type JsonObject, booleanOf, isObject } from "../json/json.ts";
import { editKeys } from "../json/property-paths.ts";
import type { Repairs } from "./repairs.ts";

const isUnclear = (value: Json | undefined): boolean => typeof value === "string" || typeof value === "number";

/** Topics of `map<string>` and mapped payloads carry booleans as text or number: they become the booleans that they mean. */
export const booleanIntegrations = (event: JsonObject, repairs: Repairs): JsonObject => {
  const { integrations } = event;
  if (!isObject(integrations)) return event;
  const names: string[] = [];
  for (const name in integrations) if (isUnclear(integrations[name])) names.push(name);
  const edited = editKeys(integrations, names, (value) => booleanOf(value) ?? value);
  if (edited === integrations) return event;
  repairs.push("integrations_boolean");
  return { ...event, integrations: edited };
};
