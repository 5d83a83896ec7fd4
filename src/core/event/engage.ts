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

const classes = new Set<unknown>(["audience", "journey_step", "trait", "computed_trait"] satisfies ComputationClass[]);
const isClass = (name: unknown): name is ComputationClass => classes.has(name);

const classOf = ({ computation_class: name }: JsonObject): ComputationClass => (isClass(name) ? name : "other");
const hasMembers = (name: ComputationClass): boolean => name === "audience" || name === "journey_step";

const memberships = new Map<unknown, boolean>([
  [true, true],
  [false, false],
  ["true", true],
  ["false", false],
]);
const membershipEvents = new Map([
  ["Audience Entered", true],
  ["Audience Exited", false],
]);

const membershipOf = (event: SegmentEvent, value: Json | undefined): boolean | undefined =>
  memberships.get(value) ?? (event.type === "track" ? membershipEvents.get(event.event) : undefined);

const computedKey = (personas: JsonObject, { audience_key, trait_key }: JsonObject): string | undefined =>
  [personas["computation_key"], audience_key, trait_key].find((key) => typeof key === "string");

/** What Engage computed, by the event's `context.personas`; nothing where it did not make the event, or names no key. */
export const computationOf = (event: Exclude<SegmentEvent, OtherEvent>): Computation | undefined => {
  const { type: form, raw } = event;
  const { personas } = objectAt(raw, "context");
  if (!isObject(personas)) return undefined;
  const values = objectAt(raw, form === "track" ? "properties" : "traits");
  const key = computedKey(personas, form === "track" ? values : {});
  if (key === undefined) return undefined;
  const computationClass = classOf(personas);
  const value = Object.hasOwn(values, key) ? values[key] : undefined;
  const isMember = hasMembers(computationClass) ? membershipOf(event, value) : undefined;
  return { computationClass, key, value, form, ...(isMember !== undefined && { isMember }) };
};
