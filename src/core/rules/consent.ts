import type { RawEvent } from "../event/event.ts";
import { type Json, booleanOf, isAbsent, isObject } from "../json/json.ts";

/** Where the preferences of consent lie; an event without one of them says nothing of consent. */
const places = ["context", "consent", "categoryPreferences"] as const;

/**
 * Whether the user has consented. A category that is missing does not block. One that is there must mean true: null, or a
 * text that is no boolean, is an answer that nobody can take for a yes. What cannot be read at all blocks for the same reason.
 */
export const createConsentRule =
  (categories: readonly string[]): ((raw: RawEvent) => boolean) =>
  (raw) => {
    let part: Json | undefined = raw;
    for (const place of places) {
      if (!isObject(part)) return false;
      part = part[place];
      if (isAbsent(part)) return true;
    }
    const preferences = part;
    if (!isObject(preferences)) return false;
    return categories.every(
      (category) => !Object.hasOwn(preferences, category) || booleanOf(preferences[category]) === true,
    );
  };
