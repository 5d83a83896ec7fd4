import type { RawEvent } from "../event/event.ts";
import { type Json, scalarTextOf } from "../json/json.ts";
import { createPathTest } from "../json/property-paths.ts";
import { type EventNameRules, createEventNameTest } from "./allow-list.ts";
import { createWildcardTest } from "./wildcard.ts";

type Scalar = string | number | boolean | null;

/** Everything that is given must hold; where nothing is given, it holds for every event. */
export interface Condition {
  readonly type?: readonly ("identify" | "track" | "group")[] | undefined;
  /** Names of track events. */
  readonly event?: readonly string[] | undefined;
  /** As `traits.email`, with exactly one of the three below. Of several values that `*` stands for, one is enough. */
  readonly path?: string | undefined;
  /** `null` also means absent. */
  readonly equals?: Scalar | undefined;
  readonly in?: readonly Scalar[] | undefined;
  /** Text in which `*` stands for any characters; numbers and booleans are compared by their text. */
  readonly matches?: string | undefined;
}

type EventTest = (raw: RawEvent) => boolean;

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

/** Says of an event whether a condition holds. */
export const createConditionTest = (
  condition: Condition,
  eventMatching: EventNameRules["eventMatching"],
): ((raw: RawEvent) => boolean) => {
  const tests: EventTest[] = [];
  const { type: types, event: events, path } = condition;
  if (types) tests.push(({ type }) => types.some((wanted) => wanted === type));
  if (events) tests.push(createTrackNameTest({ events, eventMatching }));
  if (path !== undefined) tests.push(createPathTest(path, createValueTest(condition)));
  return (raw) => tests.every((passes) => passes(raw));
};
