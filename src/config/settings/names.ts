import type { z } from "zod";

import type { HandlerRules } from "../../core/decide.ts";
import { looseName } from "../../core/rules/allow-list.ts";

type Rules = Pick<HandlerRules, "events" | "eventMatching" | "filters">;

const judged = new Set<PropertyKey>(["events", "eventMatching", "filters"] satisfies (keyof Rules)[]);

/** Whether the names can be judged, whatever else is wrong: every mistake is reported at once. */
export const hasNames = ({ issues }: z.core.ParsePayload): boolean =>
  issues.every(({ code, path: [part] = [] }) =>
    part === undefined ? code === "unrecognized_keys" : !judged.has(part),
  );

const namesIn = ({ events, filters }: Rules): readonly { readonly name: string; readonly path: PropertyKey[] }[] => [
  ...events.map((name, place) => ({ name, path: ["events", place] })),
  ...filters.flatMap(({ when }, place) =>
    (when?.event ?? []).map((name) => ({ name, path: ["filters", place, "when", "event"] })),
  ),
];

const message =
  "a name with a letter or digit: eventMatching: loose compares nothing else, and * stands for nothing here";

/** Refuses names of which a loose comparison leaves nothing: they would stand for all others of that kind. */
export const refuseNameless = (rules: Rules, context: z.RefinementCtx): void => {
  if (rules.eventMatching === "exact") return;
  for (const { name, path } of namesIn(rules))
    if (looseName(name) === "") context.addIssue({ code: "custom", path, message, input: name });
};
