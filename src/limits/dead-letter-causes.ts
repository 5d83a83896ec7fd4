import type { Cause, Culprit } from "./dead-letter-counts.ts";

/** How many are named if none of them dominates. */
const maxNamed = 3;

const percentText = (percent: number): string => (percent === 0 ? "less than 0.1 %" : `${percent} %`);

/** A cause without its topic, as in `invalid_event (type_missing)`. */
export const causeText = ({ reason, rule }: Cause): string => (rule === undefined ? reason : `${reason} (${rule})`);

const partOf = (culprit: Culprit): string =>
  `${percentText(culprit.percentOfDeadLetters)} are ${causeText(culprit)} in ${culprit.topic}, ${percentText(culprit.percentOfTopic)} of that topic's events`;

/** The one that makes more than half of the dead letters; otherwise the three most frequent. */
export const namedOf = (culprits: readonly Culprit[]): readonly Culprit[] =>
  culprits.slice(0, (culprits[0]?.percentOfDeadLetters ?? 0) > 50 ? 1 : maxNamed);

/** Who makes the dead letters, in words that follow on a count of them. */
export const culpritsText = (culprits: readonly Culprit[]): string => {
  const named = namedOf(culprits);
  const parts = named.map(partOf).join("; ");
  return named.length === 1 ? `: ${parts}` : `; no single cause makes most of them: ${parts}`;
};
