import type { JsonObject } from "../json/json.ts";
import { parseContextParts } from "./context-parts.ts";
import { normaliseEnvelopeNames } from "./envelope-names.ts";
import { normaliseType } from "./event-types.ts";
import type { RawEvent } from "./event.ts";
import { stringifyIds } from "./ids.ts";
import { booleanIntegrations } from "./integration-booleans.ts";
import { parseObjectParts } from "./json-parts.ts";
import type { Repair, Repairs } from "./repairs.ts";
import { copyContextTraits } from "./shared-traits.ts";
import { normaliseTimes, type TimeFallbacks } from "./times.ts";

export interface NormalEvent {
  readonly raw: RawEvent;
  /** What had to be repaired, each name once. */
  readonly repairs: readonly Repair[];
}

/**
 * Gives one event, as a decoder read it, the form that Segment specifies. Each step sees what the steps before it made. Never
 * throws, and never changes what it is given: if nothing is to be repaired, that comes back.
 */
export const normaliseEvent = (
  event: JsonObject,
  timeFallbacks: TimeFallbacks,
  unwrapRepairs: readonly Repair[] = [],
): NormalEvent => {
  const repairs: Repairs = [...unwrapRepairs];
  // Written out, since a loop over steps takes a quarter longer.
  let raw = normaliseEnvelopeNames(event);
  raw = normaliseType(raw, repairs);
  raw = parseObjectParts(raw, repairs);
  raw = parseContextParts(raw, repairs);
  raw = booleanIntegrations(raw, repairs);
  raw = copyContextTraits(raw, repairs);
  raw = stringifyIds(raw, repairs);
  return { raw: normaliseTimes(raw, repairs, timeFallbacks), repairs };
};
