import type { JsonObject } from "../json/json.ts";

/**
 * One Segment event in its normal form, as `normaliseEvent` returns it: a camelCase envelope and plain JSON below. Its content is not
 * validated yet (see `validateEvent` in `core/rules/validate.ts`). After the rules have edited it, this is the JSON that goes to
 * Gainsight.
 * Source: https://segment.com/docs/connections/spec/common/
 */
export type NormalisedEvent = JsonObject;

/** Returns an edited copy, or the same event if nothing changes. */
export type EditEvent = (event: NormalisedEvent) => NormalisedEvent;
