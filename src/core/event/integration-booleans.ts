import { type Json, type JsonObject, parseBoolean, isObject } from "../json/json.ts";
import { editKeys } from "../json/property-paths.ts";
import { type Repairs, addRepair } from "./repairs.ts";

const isUnclear = (value: Json | undefined): boolean => typeof value === "string" || typeof value === "number";

/**
 * Converts values of `integrations` that mean true or false, such as `"true"`, `"0"` or 1, to booleans. Producers with an Avro
 * `map<string>` can only write text. Other values stay unchanged.
 */
export const convertIntegrationBooleans = (event: JsonObject, repairs: Repairs): JsonObject => {
  const { integrations } = event;
  if (!isObject(integrations)) return event;
  const names: string[] = [];
  for (const name in integrations) if (isUnclear(integrations[name])) names.push(name);
  const edited = editKeys(integrations, names, (value) => parseBoolean(value) ?? value);
  if (edited === integrations) return event;
  addRepair(repairs, "integrations_boolean");
  return { ...event, integrations: edited };
};
