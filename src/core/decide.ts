import { type ComputationClass, computationClassOf } from "./event/engage.ts";
import type { DeliveredType } from "./event/event-types.ts";
import type { NormalisedEvent } from "./event/event.ts";
import { type Dead, type SkipReason, type Skipped, skipped } from "./outcome/outcome.ts";
import type { EventNameRules } from "./rules/allow-list.ts";
import { createConditionTest } from "./rules/conditions.ts";
import { createConsentTest } from "./rules/consent.ts";
import { type FilterRules, createFilters } from "./rules/filters.ts";
import { type IntegrationsRules, createIntegrationsTest } from "./rules/integrations.ts";
import { type PiiRules, createPiiRemover } from "./rules/pii.ts";
import { type EventType, createSkippedTypes, validateEvent } from "./rules/validate.ts";
import { type ValueTypeRules, createValueTypeConverter } from "./rules/value-types.ts";

/** The decision to deliver an event: the call to make to Gainsight. */
export interface Call {
  readonly kind: "call";
  readonly type: DeliveredType;
  /**
   * The JSON text to send, in UTF-8. It is kept as bytes outside the heap: while the event waits, every garbage collection would copy
   * a string.
   */
  readonly body: Uint8Array;
  /** Set if Segment Engage made the event. */
  readonly computationClass?: ComputationClass;
}

/** The settings that decide whether and how an event is delivered. */
export interface DecisionRules extends EventNameRules, IntegrationsRules, FilterRules, ValueTypeRules, PiiRules {
  /** Types to skip besides the built-in ones (`builtInSkippedTypes`). */
  readonly skippedTypes: readonly string[];
  /** Names of the consent categories that the user must not have refused; if empty, consent is not checked. */
  readonly consent: { readonly categories: readonly string[] };
}

export interface DecidedEvent {
  /** `unknown` if the event is not valid. */
  readonly type: EventType | "unknown";
  readonly decision: Call | Skipped | Dead;
}

/** Decides about one event in its normal form: deliver it, skip it, or send it to the dead-letter topic. Never changes the event. */
export type Decide = (event: NormalisedEvent) => DecidedEvent;

/** Returns the event, edited or not, or the reason to skip it. */
type RuleStep = (event: NormalisedEvent) => NormalisedEvent | SkipReason;

const createPredicateStep = (passes: (event: NormalisedEvent) => boolean, reason: SkipReason): RuleStep => {
  const checkRule: RuleStep = (event) => (passes(event) ? event : reason);
  return checkRule;
};

const createAllowListStep = ({ events, eventMatching }: EventNameRules): RuleStep => {
  const isListed = createConditionTest({ event: events }, eventMatching);
  return createPredicateStep((event) => event["type"] !== "track" || isListed(event), "filtered_by_allow_list");
};

/** The steps that the settings ask for, in order. Values get their types before the filters compare them. */
const createRuleSteps = (rules: DecisionRules): readonly RuleStep[] => {
  const { consent, events, filters, traits, properties, pii } = rules;
  const steps: RuleStep[] = [];
  if (consent.categories.length > 0)
    steps.push(createPredicateStep(createConsentTest(consent.categories), "filtered_by_end_user_consent"));
  steps.push(createPredicateStep(createIntegrationsTest(rules), "filtered_by_integrations_object"));
  if (events.length > 0) steps.push(createAllowListStep(rules));
  if (Object.keys({ ...traits.types, ...properties.types }).length > 0) steps.push(createValueTypeConverter(rules));
  if (filters.length > 0) steps.push(createFilters(rules));
  if (pii.drop.length + pii.hash.length > 0) steps.push(createPiiRemover(rules));
  return steps;
};

const createRuleChain = (rules: DecisionRules): RuleStep => {
  const steps = createRuleSteps(rules);
  const applyRules: RuleStep = (event) => {
    let edited = event;
    for (const step of steps) {
      const result = step(edited);
      if (typeof result === "string") return result;
      edited = result;
    }
    return edited;
  };
  return applyRules;
};

/** Makes the function that decides about events by these settings. */
export const createDecide = (rules: DecisionRules): Decide => {
  const applyRules = createRuleChain(rules);
  const skippedTypes = createSkippedTypes(rules.skippedTypes);
  const decideValid = (event: NormalisedEvent, type: DeliveredType): Call | Skipped => {
    const edited = applyRules(event);
    const computationClass = computationClassOf(event);
    const engage = computationClass && { computationClass };
    if (typeof edited === "string") return { ...skipped(edited), ...engage };
    return { kind: "call", type, body: Buffer.from(JSON.stringify(edited)), ...engage };
  };
  const decide: Decide = (event) => {
    const type = validateEvent(event, skippedTypes);
    if (typeof type === "object") return { type: "unknown", decision: type };
    return { type, decision: type === "other" ? skipped("unsupported_event_type") : decideValid(event, type) };
  };
  return decide;
};
