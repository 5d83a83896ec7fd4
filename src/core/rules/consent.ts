import type { RawEvent } from "../event/event.ts";
import { type Json, parseBoolean, isBlank, isObject } from "../json/json.ts";

/** Where the preferences of consent lie; an event without one of them says nothing of consent. */
const preferencesPath = ["context", "consent", "categoryPreferences"] as const;

/**
 * Whether the user has consented. A category that is missing does not block. One that is there must mean true: null, or a
 * text that is no boolean, is an answer that nobody can take for a yes. What cannot be read at all blocks for the same reason.
 */
export const createConsentRule =
  (categories: readonly string[]): ((raw: RawEvent) => boolean) =>
  (raw) => {
    let current: Json | undefined = raw;
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
