import { type Json, type JsonObject, isObject, objectAt } from "../json/json.ts";
import type { OtherEvent, SegmentEvent } from "./event.ts";

export type ComputationClass = "audience" | "journey_step" | "trait" | "computed_trait" | "other";

/** What an event of Segment's Engage says of a user or, in the group form, of an account. */
export interface Computation {
  readonly computationClass: ComputationClass;
  /** The computation's key as it comes: what the value is called. */
  readonly key: string;
  readonly value: Json | undefined;
  readonly form: "identify" | "track" | "group";
  /** Of audiences and journeys, where the event says so: whether the user is in. */
  readonly isMember?: boolean;
}

const computationClasses = new Set<unknown>([
  "audience",
  "journey_step",
  "trait",
  "computed_trait",
] satisfies ComputationClass[]);
const isComputationClass = (name: unknown): name is ComputationClass => computationClasses.has(name);

const computationClassOf = ({ computation_class: name }: JsonObject): ComputationClass =>
  isComputationClass(name) ? name : "other";
const hasMembership = (name: ComputationClass): boolean => name === "audience" || name === "journey_step";

const membershipByValue = new Map<unknown, boolean>([
  [true, true],
  [false, false],
  ["true", true],
  ["false", false],
]);
const membershipByEventName = new Map([
  ["Audience Entered", true],
  ["Audience Exited", false],
]);

const membershipOf = (event: SegmentEvent, value: Json | undefined): boolean | undefined =>
  membershipByValue.get(value) ?? (event.type === "track" ? membershipByEventName.get(event.event) : undefined);

const computationKeyOf = (personas: JsonObject, { audience_key, trait_key }: JsonObject): string | undefined =>
  [personas["computation_key"], audience_key, trait_key].find((key) => typeof key === "string");

/** What Engage computed, by the event's `context.personas`; nothing where it did not make the event, or names no key. */
export const computationOf = (event: Exclude<SegmentEvent, OtherEvent>): Computation | undefined => {
  const { type: form, raw } = event;
  const { personas } = objectAt(raw, "context");
  if (!isObject(personas)) return undefined;
  const values = objectAt(raw, form === "track" ? "properties" : "traits");
  const key = computationKeyOf(personas, form === "track" ? values : {});
  if (key === undefined) return undefined;
  const computationClass = computationClassOf(personas);
  const value = Object.hasOwn(values, key) ? values[key] : undefined;
  const isMember = hasMembership(computationClass) ? membershipOf(event, value) : undefined;
  return { computationClass, key, value, form, ...(isMember !== undefined && { isMember }) };
};
