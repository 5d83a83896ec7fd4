import type { z } from "zod";

import type { DecisionRules } from "../../core/decide.ts";
import { toLooseName } from "../../core/rules/allow-list.ts";

type EventNameRules = Pick<DecisionRules, "events" | "eventMatching" | "filters">;

const eventNameSettings = new Set<PropertyKey>([
  "events",
  "eventMatching",
  "filters",
] satisfies (keyof EventNameRules)[]);

/** Whether the names of events can be checked although the file has other mistakes. One run reports every mistake. */
export const canCheckNames = ({ issues }: z.core.ParsePayload): boolean =>
  issues.every(({ code, path: [part] = [] }) =>
    part === undefined ? code === "unrecognized_keys" : !eventNameSettings.has(part),
  );

interface NameAtPath {
  readonly name: string;
  readonly path: PropertyKey[];
}

const eventNamesIn = ({ events, filters }: EventNameRules): readonly NameAtPath[] => [
  ...events.map((name, index) => ({ name, path: ["events", index] })),
  ...filters.flatMap(({ when }, index) =>
    (when?.event ?? []).map((name) => ({ name, path: ["filters", index, "when", "event"] })),
  ),
];

const emptyNameMessage =
  "a name with a letter or digit, because eventMatching: loose compares nothing else; * is no wildcard here";

/** Refuses names without letters and digits: a loose comparison would take all of them for the same name. */
export const refuseEmptyLooseNames = (rules: EventNameRules, context: z.RefinementCtx): void => {
  if (rules.eventMatching === "exact") return;
  for (const { name, path } of eventNamesIn(rules))
    if (toLooseName(name) === "") context.addIssue({ code: "custom", path, message: emptyNameMessage, input: name });
};
