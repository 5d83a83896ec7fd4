import type { RawEvent } from "./event.ts";
import { objectAt } from "./json.ts";

/** Whether the user has consented: none of the categories is explicitly false. A missing one does not block. */
export const createConsentRule =
  (categories: readonly string[]): ((raw: RawEvent) => boolean) =>
  (raw) => {
    const preferences = objectAt(objectAt(objectAt(raw, "context"), "consent"), "categoryPreferences");
    return categories.every((category) => preferences[category] !== false);
  };
