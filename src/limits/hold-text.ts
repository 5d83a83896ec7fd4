import type { Culprit, DeadLetterCause } from "./dead-letter-counts.ts";

/** How many culprits a text names if none of them makes more than half of the dead letters. */
const maxTopCulprits = 3;
const resumeAdvice = "raise deadLetterLimit in the settings file or set it to false";

/** The culprit that makes more than half of the dead letters, or else the three most frequent ones. */
export const topCulpritsOf = (culprits: readonly Culprit[]): readonly Culprit[] =>
  culprits.slice(0, (culprits[0]?.percentOfDeadLetters ?? 0) > 50 ? 1 : maxTopCulprits);

/** Why all events wait, and how to continue. `excess` is a sentence that says how many dead letters there were. */
export const holdAllText = (excess: string, culprits: readonly Culprit[]): string =>
  `${excess}${culpritsText(culprits)}. Check the newest dead letters. To continue, ${resumeAdvice}`;

/** Why the events of one cause wait, and how to release them. */
export const holdCauseText = (excess: string, culprits: readonly Culprit[], held: Culprit): string =>
  `${excess}${culpritsText(culprits)}. Events of topic ${held.topic} that would end as ${causeText(held)} wait in the retry topics; all other events continue. To release them, ${resumeAdvice}`;

const culpritsText = (culprits: readonly Culprit[]): string => {
  const topCulprits = topCulpritsOf(culprits);
  const parts = topCulprits.map(culpritText).join("; ");
  return topCulprits.length === 1 ? `: ${parts}` : `; no single cause makes more than half of them: ${parts}`;
};

const culpritText = (culprit: Culprit): string =>
  `${percentText(culprit.percentOfDeadLetters)} are ${causeText(culprit)} in topic ${culprit.topic} (${percentText(culprit.percentOfTopic)} of that topic's events)`;

/** A cause without its topic, such as `invalid_event (type_missing)`. */
const causeText = ({ reason, rule }: DeadLetterCause): string => (rule === undefined ? reason : `${reason} (${rule})`);

const percentText = (percent: number): string => (percent === 0 ? "less than 0.1 %" : `${percent} %`);
