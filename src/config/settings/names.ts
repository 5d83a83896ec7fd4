import type { z } from "zod";

import type { DecisionRules } from "../../core/decide.ts";
import { toLooseName } from "../../core/rules/allow-list.ts";

type EventNameRules = Pick<DecisionRules, "events" | "eventMatching" | "filters">;

const eventNameSettings = new Set<PropertyKey>([
  "events",
  "eventMatching",
  "filters",
] satisfies (keyof EventNameRules)[]);

/** Whether the names can be judged, whatever else is wrong: every mistake is reported at once. */
export const canCheckNames = ({ issues }: z.core.ParsePayload): boolean =>
  issues.every(({ code, path: [part] = [] }) =>
    part === undefined ? code === "unrecognized_keys" : !eventNameSettings.has(part),
  );

const eventNamesIn = ({
  events,
  filters,
}: EventNameRules): readonly { readonly name: string; readonly path: PropertyKey[] }[] => [
  ...events.map((name, index) => ({ name, path: ["events", index] })),
  ...filters.flatMap(({ when }, index) =>
    (when?.event ?? []).map((name) => ({ name, path: ["filters", index, "when", "event"] })),
  ),
];

const emptyNameMessage =
  "a name with a letter or digit: eventMatching: loose compares nothing else, and * stands for nothing here";

/** Refuses names of which a loose comparison leaves nothing: they would stand for all others of that kind. */
export const refuseEmptyLooseNames = (rules: EventNameRules, context: z.RefinementCtx): void => {
  if (rules.eventMatching === "exact") return;
  for (const { name, path } of eventNamesIn(rules))
    if (toLooseName(name) === "") context.addIssue({ code: "custom", path, message: emptyNameMessage, input: name });
};
