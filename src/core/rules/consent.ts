import type { NormalisedEvent } from "../event/event.ts";
import { type Json, parseBoolean, isBlank, isObject } from "../json/json.ts";

/** The path of the consent preferences. An event in which a part of the path is missing does not mention consent. */
const preferencesPath = ["context", "consent", "categoryPreferences"] as const;

/**
 * Makes the test whether the user has consented to all of the given categories. A missing category, or an event that does not
 * mention consent, passes. A category that is present must mean true: null, or text that is no boolean, blocks the event, and so does
 * consent of another shape, because it cannot be taken for a yes.
 * Source: https://segment.com/docs/privacy/consent-management/consent-in-segment-connections/
 */
export const createConsentTest =
  (categories: readonly string[]): ((event: NormalisedEvent) => boolean) =>
  (event) => {
    let current: Json | undefined = event;
    for (const key of preferencesPath) {
      if (!isObject(current)) return false;
      current = current[key];
      if (isBlank(current)) return true;
    }
    const preferences = current;
    if (!isObject(preferences)) return false;
    return categories.every(
      (category) => !Object.hasOwn(preferences, category) || parseBoolean(preferences[category]) === true,
    );
  };
