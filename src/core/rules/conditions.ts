import type { RawEvent } from "../event/event.ts";
import { type Json, textOf } from "../json/json.ts";
import { createPathTest } from "../json/property-paths.ts";
import { type AllowListOptions, createAllowList } from "./allow-list.ts";
import { createWildcard } from "./wildcard.ts";

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

type Check = (raw: RawEvent) => boolean;

const createValueTest = ({ equals = null, in: among = [equals], matches }: Condition) => {
  if (matches === undefined) {
    const accepted = new Set<Json>(among);
    return (value: Json | undefined) => accepted.has(value ?? null);
  }
  const isLike = createWildcard(matches);
  return (value: Json | undefined) => {
    const text = textOf(value);
    return text !== undefined && isLike(text);
  };
};

const createEventCheck = (options: AllowListOptions): Check => {
  const isNamed = createAllowList(options);
  return ({ type, event }) => type === "track" && typeof event === "string" && isNamed(event);
};

/** Says of an event whether a condition holds. */
export const createCondition = (
  condition: Condition,
  eventMatching: AllowListOptions["eventMatching"],
): ((raw: RawEvent) => boolean) => {
  const checks: Check[] = [];
  const { type: types, event: events, path } = condition;
  if (types) checks.push(({ type }) => types.some((wanted) => wanted === type));
  if (events) checks.push(createEventCheck({ events, eventMatching }));
  if (path !== undefined) checks.push(createPathTest(path, createValueTest(condition)));
  return (raw) => checks.every((holds) => holds(raw));
};
