import type { DeliveredType } from "../event/event-types.ts";
import type { NormalisedEvent } from "../event/event.ts";
import { type Json, scalarTextOf } from "../json/json.ts";
import { createPathTest } from "../json/property-paths.ts";
import { type EventNameRules, createEventNameTest } from "./allow-list.ts";
import { createWildcardTest } from "./wildcard.ts";

type Scalar = string | number | boolean | null;

/** A condition on events. All parts that are set must hold; an empty condition holds for every event. */
export interface Condition {
  readonly type?: readonly DeliveredType[] | undefined;
  /** Names of track events. */
  readonly event?: readonly string[] | undefined;
  /**
   * A path such as `traits.email`, with exactly one of the three tests below. If `*` stands for several values, one that passes is
   * enough.
   */
  readonly path?: string | undefined;
  /** `null` also matches an absent value. */
  readonly equals?: Scalar | undefined;
  readonly in?: readonly Scalar[] | undefined;
  /** A pattern in which `*` stands for any characters; numbers and booleans are matched by their text. */
  readonly matches?: string | undefined;
}

type EventTest = (event: NormalisedEvent) => boolean;

const createValueTest = ({ equals = null, in: acceptedValues = [equals], matches }: Condition) => {
  if (matches === undefined) {
    const accepted = new Set<Json>(acceptedValues);
    return (value: Json | undefined) => accepted.has(value ?? null);
  }
  const matchesPattern = createWildcardTest(matches);
  return (value: Json | undefined) => {
    const text = scalarTextOf(value);
    return text !== undefined && matchesPattern(text);
  };
};

const createTrackNameTest = (options: EventNameRules): EventTest => {
  const matchesName = createEventNameTest(options);
  return ({ type, event }) => type === "track" && typeof event === "string" && matchesName(event);
};

/** Makes the test whether a condition holds for an event. */
export const createConditionTest = (
  condition: Condition,
  eventMatching: EventNameRules["eventMatching"],
): ((event: NormalisedEvent) => boolean) => {
  const tests: EventTest[] = [];
  const { type: types, event: events, path } = condition;
  if (types) tests.push(({ type }) => types.some((wanted) => wanted === type));
  if (events) tests.push(createTrackNameTest({ events, eventMatching }));
  if (path !== undefined) tests.push(createPathTest(path, createValueTest(condition)));
  return (event) => tests.every((passes) => passes(event));
};
