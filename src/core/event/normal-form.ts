import type { JsonObject } from "../json/json.ts";
import { parseContextParts } from "./context-parts.ts";
import { normaliseEnvelopeNames } from "./envelope-names.ts";
import { normaliseType } from "./event-types.ts";
import type { NormalisedEvent } from "./event.ts";
import { stringifyIds } from "./ids.ts";
import { convertIntegrationBooleans } from "./integration-booleans.ts";
import { parseObjectParts } from "./object-parts.ts";
import type { Repair, Repairs } from "./repairs.ts";
import { copyContextTraits } from "./shared-traits.ts";
import { normaliseTimes, type TimeFallbacks } from "./times.ts";

/** An event in its normal form, and what was repaired to get there. */
export interface Normalisation {
  readonly event: NormalisedEvent;
  /** The repairs that were made, each name once. */
  readonly repairs: readonly Repair[];
}

/**
 * Brings one decoded event into the form that Segment specifies. Each step works on the result of the step before it. Never throws
 * and never changes its argument: an event that needs no repair is returned as the same object.
 */
export const normaliseEvent = (
  decoded: JsonObject,
  timeFallbacks: TimeFallbacks,
  unwrapRepairs: readonly Repair[] = [],
): Normalisation => {
  const repairs: Repairs = [...unwrapRepairs];
  // Written out because a loop over the steps takes a quarter longer.
  let event: NormalisedEvent = normaliseEnvelopeNames(decoded);
  event = normaliseType(event, repairs);
  event = parseObjectParts(event, repairs);
  event = parseContextParts(event, repairs);
  event = convertIntegrationBooleans(event, repairs);
  event = copyContextTraits(event, repairs);
  event = stringifyIds(event, repairs);
  return { event: normaliseTimes(event, repairs, timeFallbacks), repairs };
};
