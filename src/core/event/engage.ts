import { type JsonObject, isObject, objectAt } from "../json/json.ts";
import type { NormalisedEvent } from "./event.ts";

/** What Segment Engage computed, by `context.personas.computation_class`. A class that is missing or unknown is `other`. */
export type ComputationClass = "audience" | "journey_step" | "trait" | "computed_trait" | "other";

const computationClasses = new Set<unknown>([
  "audience",
  "journey_step",
  "trait",
  "computed_trait",
] satisfies ComputationClass[]);
const isComputationClass = (name: unknown): name is ComputationClass => computationClasses.has(name);

/** Older Engage events name the computation's key in `properties` of a track. */
const hasComputationKey = (event: NormalisedEvent, { computation_key }: JsonObject): boolean => {
  const { audience_key, trait_key } = event["type"] === "track" ? objectAt(event, "properties") : {};
  return [computation_key, audience_key, trait_key].some((key) => typeof key === "string");
};

/** The class of the computation that made an event. Undefined if Segment Engage did not make the event or names no key. */
export const computationClassOf = (event: NormalisedEvent): ComputationClass | undefined => {
  const { personas } = objectAt(event, "context");
  if (!isObject(personas) || !hasComputationKey(event, personas)) return undefined;
  const { computation_class: name } = personas;
  return isComputationClass(name) ? name : "other";
};
