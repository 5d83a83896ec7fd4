import type { RawEvent } from "../event/event.ts";
import { type Json, booleanOf, isAbsent, objectAt } from "../json/json.ts";

export interface IntegrationsRules {
  /** Names looked up in the event's `integrations`, in exactly this case. */
  readonly integrationNames: readonly string[];
  /** Engage events and replays say `All: false` and name only what fed the topic. */
  readonly ignoreAllFalse: { readonly engage: boolean; readonly replays: boolean };
}

const isAllOff = (key: string, value: Json | undefined): boolean => value === false && key.toLowerCase() === "all";

/** A record with fixed fields has the field in every event: there, false, null, blank text, or nothing but these in it say that it has none. */
const has = (value: Json | undefined): boolean => {
  if (typeof value === "object" && value !== null)
    return Object.values<Json | undefined>(value).some((held) => !isAbsent(held));
  return !isAbsent(value) && booleanOf(value) !== false;
};

/**
 * Whether the event's `integrations` let it go to us: what it says to one of our names, else what it says to all.
 * Several of our names: an explicit false wins. Source: Segment's open-source `facade`, and its Engage and replay events.
 */
export const createIntegrationsRule = (rules: IntegrationsRules): ((raw: RawEvent) => boolean) => {
  const names = new Set(rules.integrationNames);
  const { engage, replays } = rules.ignoreAllFalse;
  const isExcused = (raw: RawEvent): boolean =>
    (engage && has(objectAt(raw, "context")["personas"])) || (replays && has(raw["replay"]));
  return (raw) => {
    let isNamed = false;
    let isAllOn = true;
    const integrations = objectAt(raw, "integrations");
    for (const key of Object.keys(integrations)) {
      const value = integrations[key];
      if (names.has(key)) {
        if (value === false) return false;
        isNamed = true;
      } else if (isAllOff(key, value)) isAllOn = false;
    }
    return isNamed || isAllOn || isExcused(raw);
  };
};
