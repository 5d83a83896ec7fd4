import { type ComputationClass, computationOf } from "./event/engage.ts";
import type { OtherEvent, RawEvent, SegmentEvent } from "./event/event.ts";
import { type Dead, type SkipReason, type Skipped, skipped } from "./outcome/outcome.ts";
import type { AllowListOptions } from "./rules/allow-list.ts";
import { createCondition } from "./rules/conditions.ts";
import { createConsentRule } from "./rules/consent.ts";
import { type FilterRules, createFilters } from "./rules/filters.ts";
import { type IntegrationsRules, createIntegrationsRule } from "./rules/integrations.ts";
import { type PiiRules, createPiiRemover } from "./rules/pii.ts";
import { createSkippedTypes, parseEvent } from "./rules/validate.ts";
import { type TypeRules, createTyping } from "./rules/value-types.ts";

/**
 * One call that an event means to Gainsight: which kind, and the JSON text to send. As bytes, which they have to become in
 * any case: while the event waits, a text in the heap would be copied by every garbage collection.
 */
export interface Call {
  readonly kind: "call";
  readonly call: "identify" | "track" | "group";
  readonly body: Uint8Array;
  /** Of an event that Segment's Engage made: what it computed. */
  readonly computationClass?: ComputationClass;
}

/** The settings that say what an event means. */
export interface HandlerRules extends AllowListOptions, IntegrationsRules, FilterRules, TypeRules, PiiRules {
  /** Types that are skipped, besides those that Segment's and RudderStack's libraries know. */
  readonly skippedTypes: readonly string[];
  /** Names of consent categories; empty: consent is not asked for. */
  readonly consent: { readonly categories: readonly string[] };
}

export interface Understood {
  readonly type: SegmentEvent["type"] | "unknown";
  readonly meaning: Call | Skipped | Dead;
}

/** Takes an event in its normal form. */
export type Handler = (raw: RawEvent) => Understood;

type Step = (raw: RawEvent) => RawEvent | SkipReason;

const createCheck =
  (passes: (raw: RawEvent) => boolean, reason: SkipReason): Step =>
  (raw) =>
    passes(raw) ? raw : reason;

const createAllowListCheck = ({ events, eventMatching }: AllowListOptions): Step => {
  const isListed = createCondition({ event: events }, eventMatching);
  return createCheck((raw) => raw["type"] !== "track" || isListed(raw), "filtered_by_allow_list");
};

/** Only what is set up, in the order in which an event is judged: it pays for nothing else. Filters see the types. */
const createSteps = (rules: HandlerRules): readonly Step[] => {
  const { consent, events, filters, traits, properties, pii } = rules;
  const steps: Step[] = [];
  if (consent.categories.length > 0)
    steps.push(createCheck(createConsentRule(consent.categories), "filtered_by_end_user_consent"));
  steps.push(createCheck(createIntegrationsRule(rules), "filtered_by_integrations_object"));
  if (events.length > 0) steps.push(createAllowListCheck(rules));
  if (Object.keys({ ...traits.types, ...properties.types }).length > 0) steps.push(createTyping(rules));
  if (filters.length > 0) steps.push(createFilters(rules));
  if (pii.drop.length + pii.hash.length > 0) steps.push(createPiiRemover(rules));
  return steps;
};

type KnownEvent = Exclude<SegmentEvent, OtherEvent>;

const withComputation = <M extends Call | Skipped>(event: KnownEvent, meaning: M): M => {
  const computation = computationOf(event);
  return computation ? { ...meaning, computationClass: computation.computationClass } : meaning;
};

const createJudge = (rules: HandlerRules): ((event: SegmentEvent) => Call | Skipped) => {
  const steps = createSteps(rules);
  return (event) => {
    if (event.type === "other") return skipped("unsupported_event_type");
    let { raw } = event;
    for (const step of steps) {
      const result = step(raw);
      if (typeof result === "string") return withComputation(event, skipped(result));
      raw = result;
    }
    return withComputation(event, { kind: "call", call: event.type, body: Buffer.from(JSON.stringify(raw)) });
  };
};

/** What an event means by the settings: a call, or nothing to do and why. Never changes the event it is given. */
export const createHandler = (rules: HandlerRules): Handler => {
  const judge = createJudge(rules);
  const skippedTypes = createSkippedTypes(rules.skippedTypes);
  return (raw) => {
    const event = parseEvent(raw, skippedTypes);
    if ("kind" in event) return { type: "unknown", meaning: event };
    return { type: event.type, meaning: judge(event) };
  };
};
