import type { NormalisedEvent } from "../event/event.ts";
import { type Json, parseBoolean, isBlank, objectAt } from "../json/json.ts";

export interface IntegrationsRules {
  /** Names of this destination in the event's `integrations`; the case must match. */
  readonly integrationNames: readonly string[];
  /** Whether `All: false` is ignored: Engage events and replays set it and name only the integration that wrote the topic. */
  readonly ignoreAllFalse: { readonly engage: boolean; readonly replays: boolean };
}

const isAllFalse = (key: string, value: Json | undefined): boolean => value === false && key.toLowerCase() === "all";

/**
 * Whether a field has content. An Avro record has its fields in every event, so false, null, blank text, and an object of nothing but
 * null and blank text count as absent.
 */
const isSet = (value: Json | undefined): boolean => {
  if (typeof value === "object" && value !== null)
    return Object.values<Json | undefined>(value).some((inner) => !isBlank(inner));
  return !isBlank(value) && parseBoolean(value) !== false;
};

/**
 * Makes the test whether the event's `integrations` allow this destination. A value under one of its names decides; without one,
 * `All` does. If several of its names have a value, an explicit false wins.
 * Sources: https://github.com/segmentio/facade (`enabled`), and Segment's Engage and replay events.
 */
export const createIntegrationsTest = (rules: IntegrationsRules): ((event: NormalisedEvent) => boolean) => {
  const names = new Set(rules.integrationNames);
  const { engage, replays } = rules.ignoreAllFalse;
  const ignoresAllFalse = (event: NormalisedEvent): boolean =>
    (engage && isSet(objectAt(event, "context")["personas"])) || (replays && isSet(event["replay"]));
  const areIntegrationsOn = (event: NormalisedEvent): boolean => {
    let isNamed = false;
    let isAllAllowed = true;
    const integrations = objectAt(event, "integrations");
    for (const key of Object.keys(integrations)) {
      const value = integrations[key];
      if (names.has(key)) {
        if (value === false) return false;
        isNamed = true;
      } else if (isAllFalse(key, value)) isAllAllowed = false;
    }
    return isNamed || isAllAllowed || ignoresAllFalse(event);
  };
  return areIntegrationsOn;
};
