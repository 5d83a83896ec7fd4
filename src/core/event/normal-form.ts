import type { JsonObject } from "../json/json.ts";
import { parseContextParts } from "./context-parts.ts";
import { camelEnvelope } from "./envelope-names.ts";
import { normalType } from "./event-types.ts";
import type { RawEvent } from "./event.ts";
import { idsAsText } from "./ids.ts";
import { booleanIntegrations } from "./integration-booleans.ts";
import { partsAsObjects } from "./json-parts.ts";
import type { Repair, Repairs } from "./repairs.ts";
import { traitsFromContext } from "./shared-traits.ts";
import { normalTimes, type StandIns } from "./times.ts";

export interface NormalEvent {
  readonly raw: RawEvent;
  /** What had to be repaired, each name once. */
  readonly repairs: readonly Repair[];
}

/**
 * Gives one event, as a decoder read it, the form that Segment specifies. Each step sees what the steps before it made. Never
 * throws, and never changes what it is given: if nothing is to be repaired, that comes back.
 */
export const normalEvent = (event: JsonObject, standIns: StandIns, unwrapped: readonly Repair[] = []): NormalEvent => {
  const repairs: Repairs = [...unwrapped];
  // Written out, since a loop over steps takes a quarter longer.
  let raw = camelEnvelope(event);
  raw = normalType(raw, repairs);
  raw = partsAsObjects(raw, repairs);
  raw = parseContextParts(raw, repairs);
  raw = booleanIntegrations(raw, repairs);
  raw = traitsFromContext(raw, repairs);
  raw = idsAsText(raw, repairs);
  return { raw: normalTimes(raw, repairs, standIns), repairs };
};
