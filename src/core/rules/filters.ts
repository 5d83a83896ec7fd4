import type { EditEvent, NormalisedEvent } from "../event/event.ts";
import { preserveSharedTraits, withContextTraitPaths } from "../event/shared-traits.ts";
import { createPathEdit } from "../json/property-paths.ts";
import type { SkipReason } from "../outcome/outcome.ts";
import type { EventNameRules } from "./allow-list.ts";
import { type Condition, createConditionTest } from "./conditions.ts";
import { isSampled } from "./sample.ts";
import { userOf } from "./validate.ts";

export type Filter =
  | { readonly action: "drop_event"; readonly when?: Condition | undefined }
  | { readonly action: "drop_property"; readonly path: string; readonly when?: Condition | undefined }
  | { readonly action: "sample"; readonly percent: number; readonly when?: Condition | undefined };

export interface FilterRules extends Pick<EventNameRules, "eventMatching"> {
  /** Applied in order, each to the result of the ones before it. */
  readonly filters: readonly Filter[];
}

type FilterStep = (event: NormalisedEvent, user: string) => NormalisedEvent | SkipReason;

/** A path into `traits` also removes the value in `context.traits`, as with `pii`: dropping is often a matter of privacy. */
const createPropertyRemover = (path: string): EditEvent => {
  const removers = withContextTraitPaths([path]).map((removedPath) => createPathEdit(removedPath, () => undefined));
  return preserveSharedTraits((event) => removers.reduce((edited, remove) => remove(edited), event));
};

const createFilterStep = (filter: Filter): FilterStep => {
  switch (filter.action) {
    case "drop_event":
      return () => "filtered_by_rule";
    case "drop_property":
      return createPropertyRemover(filter.path);
    case "sample":
      return (event, user) => (isSampled(user, filter.percent) ? event : "sampled_out");
  }
};

/**
 * Makes one function of all filters. It returns the edited event, or the reason to skip the event. Sampling uses the user's id before any
 * filter has edited it.
 */
export const createFilters = ({
  filters,
  eventMatching,
}: FilterRules): ((event: NormalisedEvent) => NormalisedEvent | SkipReason) => {
  const steps = filters.map((filter): FilterStep => {
    const step = createFilterStep(filter);
    const applies = createConditionTest(filter.when ?? {}, eventMatching);
    return (event, user) => (applies(event) ? step(event, user) : event);
  });
  return (event) => {
    const user = userOf(event) ?? "";
    let edited = event;
    for (const step of steps) {
      const result = step(edited, user);
      if (typeof result === "string") return result;
      edited = result;
    }
    return edited;
  };
};
