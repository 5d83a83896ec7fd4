import { parseContextParts } from "./context-parts.ts";
import { emptyListsAsObjects } from "./empty-lists.ts";
import { camelEnvelope } from "./envelope-names.ts";
import { normalType } from "./event-types.ts";
import type { JsonObject, RawEvent } from "./event.ts";
import { idsAsText } from "./ids.ts";
import { booleanIntegrations } from "./integrations.ts";
import { parseParts } from "./json-parts.ts";
import type { Repair, Repairs } from "./repairs.ts";
import { traitsFromContext } from "./shared-traits.ts";
import { normalTimes, type StandIns } from "./times.ts";

export interface NormalEvent {
  readonly raw: RawEvent;
  /** What had to be repaired, each name once. */
  readonly repairs: readonly Repair[];
}

type Step = (event: JsonObject, repairs: Repairs, standIns: StandIns) => JsonObject;

/** In this order: each step sees what the steps before it made. A step returns the same object if it changes nothing. */
const steps: readonly Step[] = [
  camelEnvelope,
  normalType,
  parseParts,
  emptyListsAsObjects,
  parseContextParts,
  booleanIntegrations,
  traitsFromContext,
  idsAsText,
  normalTimes,
];

/** Gives one event, as a decoder read it, the form that Segment specifies. Never throws, and never changes what it is given. */
export const normalEvent = (event: JsonObject, standIns: StandIns, unwrapped: readonly Repair[] = []): NormalEvent => {
  const repairs: Repairs = [...unwrapped];
  let raw = event;
  for (const step of steps) raw = step(raw, repairs, standIns);
  return { raw, repairs };
};
