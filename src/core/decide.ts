import { type ComputationClass, computationOf } from "./event/engage.ts";
import type { OtherEvent, RawEvent, SegmentEvent } from "./event/event.ts";
import { type Dead, type SkipReason, type Skipped, skipped } from "./outcome/outcome.ts";
import type { EventNameRules } from "./rules/allow-list.ts";
import { createConditionTest } from "./rules/conditions.ts";
import { createConsentRule } from "./rules/consent.ts";
import { type FilterRules, createFilters } from "./rules/filters.ts";
import { type IntegrationsRules, createIntegrationsRule } from "./rules/integrations.ts";
import { type PiiRules, createPiiRemover } from "./rules/pii.ts";
import { createSkippedTypes, parseEvent } from "./rules/validate.ts";
import { type ValueTypeRules, createValueTypeConverter } from "./rules/value-types.ts";

/**
 * One call that an event means to Gainsight: which kind, and the JSON text to send. As bytes, which they have to become in
 * any case: while the event waits, a text in the heap would be copied by every garbage collection.
 */
export interface Call {
  readonly kind: "call";
  readonly type: "identify" | "track" | "group";
  readonly body: Uint8Array;
  /** Of an event that Segment's Engage made: what it computed. */
  readonly computationClass?: ComputationClass;
}

/** The settings that say what an event means. */
export interface DecisionRules extends EventNameRules, IntegrationsRules, FilterRules, ValueTypeRules, PiiRules {
  /** Types that are skipped, besides those that Segment's and RudderStack's libraries know. */
  readonly skippedTypes: readonly string[];
  /** Names of consent categories; empty: consent is not asked for. */
  readonly consent: { readonly categories: readonly string[] };
}

export interface DecidedEvent {
  readonly type: SegmentEvent["type"] | "unknown";
  readonly decision: Call | Skipped | Dead;
}

/** Takes an event in its normal form. */
export type Decide = (raw: RawEvent) => DecidedEvent;

type RuleStep = (raw: RawEvent) => RawEvent | SkipReason;

const createPredicateStep =
  (passes: (raw: RawEvent) => boolean, reason: SkipReason): RuleStep =>
  (raw) =>
    passes(raw) ? raw : reason;

const createAllowListStep = ({ events, eventMatching }: EventNameRules): RuleStep => {
  const isListed = createConditionTest({ event: events }, eventMatching);
  return createPredicateStep((raw) => raw["type"] !== "track" || isListed(raw), "filtered_by_allow_list");
};

/** Only what is set up, in the order in which an event is judged: it pays for nothing else. Filters see the types. */
const createRuleSteps = (rules: DecisionRules): readonly RuleStep[] => {
  const { consent, events, filters, traits, properties, pii } = rules;
  const steps: RuleStep[] = [];
  if (consent.categories.length > 0)
    steps.push(createPredicateStep(createConsentRule(consent.categories), "filtered_by_end_user_consent"));
  steps.push(createPredicateStep(createIntegrationsRule(rules), "filtered_by_integrations_object"));
  if (events.length > 0) steps.push(createAllowListStep(rules));
  if (Object.keys({ ...traits.types, ...properties.types }).length > 0) steps.push(createValueTypeConverter(rules));
  if (filters.length > 0) steps.push(createFilters(rules));
  if (pii.drop.length + pii.hash.length > 0) steps.push(createPiiRemover(rules));
  return steps;
};

type SupportedEvent = Exclude<SegmentEvent, OtherEvent>;

const withComputationClass = <M extends Call | Skipped>(event: SupportedEvent, decision: M): M => {
  const computation = computationOf(event);
  return computation ? { ...decision, computationClass: computation.computationClass } : decision;
};

const createRuleChain = (rules: DecisionRules): ((event: SegmentEvent) => Call | Skipped) => {
  const steps = createRuleSteps(rules);
  return (event) => {
    if (event.type === "other") return skipped("unsupported_event_type");
    let { raw } = event;
    for (const step of steps) {
      const result = step(raw);
      if (typeof result === "string") return withComputationClass(event, skipped(result));
      raw = result;
    }
    return withComputationClass(event, { kind: "call", type: event.type, body: Buffer.from(JSON.stringify(raw)) });
  };
};

/** What an event means by the settings: a call, or nothing to do and why. Never changes the event it is given. */
export const createDecide = (rules: DecisionRules): Decide => {
  const applyRules = createRuleChain(rules);
  const skippedTypes = createSkippedTypes(rules.skippedTypes);
  return (raw) => {
    const event = parseEvent(raw, skippedTypes);
    if ("kind" in event) return { type: "unknown", decision: event };
    return { type: event.type, decision: applyRules(event) };
  };
};
