import type { RawEvent } from "../event/event.ts";
import { keepTraitsOne, withContextTraits } from "../event/shared-traits.ts";
import { createPathEdit } from "../json/property-paths.ts";
import type { SkipReason } from "../outcome/outcome.ts";
import type { AllowListOptions } from "./allow-list.ts";
import { type Condition, createCondition } from "./conditions.ts";
import { isSampled } from "./sample.ts";
import { userOf } from "./validate.ts";

export type Filter =
  | { readonly action: "drop_event"; readonly when?: Condition | undefined }
  | { readonly action: "drop_property"; readonly path: string; readonly when?: Condition | undefined }
  | { readonly action: "sample"; readonly percent: number; readonly when?: Condition | undefined };

export interface FilterRules extends Pick<AllowListOptions, "eventMatching"> {
  /** Tried in order, each on what the ones before it left. */
  readonly filters: readonly Filter[];
}

type Step = (raw: RawEvent, user: string) => RawEvent | SkipReason;

/** Dropping is often a matter of privacy: as with `pii`, a path to traits concerns the traits of the context too. */
const createDrop = (path: string): ((raw: RawEvent) => RawEvent) => {
  const drops = withContextTraits([path]).map((place) => createPathEdit(place, () => undefined));
  return keepTraitsOne((raw) => drops.reduce((left, drop) => drop(left), raw));
};

const createStep = (filter: Filter): Step => {
  switch (filter.action) {
    case "drop_event":
      return () => "filtered_by_rule";
    case "drop_property":
      return createDrop(filter.path);
    case "sample":
      return (raw, user) => (isSampled(user, filter.percent) ? raw : "sampled_out");
  }
};

/** What the filters leave of an event, or why it does not go. Users are sampled by the id that the event came with. */
export const createFilters = ({ filters, eventMatching }: FilterRules): ((raw: RawEvent) => RawEvent | SkipReason) => {
  const steps = filters.map((filter): Step => {
    const step = createStep(filter);
    const concerns = createCondition(filter.when ?? {}, eventMatching);
    return (raw, user) => (concerns(raw) ? step(raw, user) : raw);
  });
  return (raw) => {
    const user = userOf(raw) ?? "";
    let left = raw;
    for (const step of steps) {
      const result = step(left, user);
      if (typeof result === "string") return result;
      left = result;
    }
    return left;
  };
};
