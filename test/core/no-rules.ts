import { createHash } from "node:crypto";

import { type Call, type DecisionRules, createDecide } from "../../src/core/decide.ts";
import type { NormalisedEvent } from "../../src/core/event/event.ts";
import { normaliseEvent } from "../../src/core/event/normal-form.ts";
import type { SkipReason } from "../../src/core/outcome/outcome.ts";

export const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

/** The default settings: no optional rule is set. */
export const noRules: DecisionRules = {
  events: [],
  eventMatching: "loose",
  integrationNames: ["Gainsight"],
  ignoreAllFalse: { engage: true, replays: true },
  skippedTypes: [],
  consent: { categories: [] },
  filters: [],
  traits: { types: {} },
  properties: { types: {} },
  pii: { drop: [], hash: [] },
  hash: sha256,
};

/** Decides about a valid event by the default settings and some rules: the call, or the reason to skip the event. */
export const decideValid = (event: NormalisedEvent, rules: Partial<DecisionRules> = {}): Call | SkipReason => {
  const normal = normaliseEvent(event, { recordTime: -1, wallNow: () => Date.UTC(2026, 0, 1) }).event;
  const { decision } = createDecide({ ...noRules, ...rules })(normal);
  if (decision.kind === "dead") throw new Error(`The test's own event is invalid: ${decision.error}`);
  return decision.kind === "call" ? decision : decision.reason;
};

/** The body of the call of an event. */
export const sentAs = (event: NormalisedEvent, rules: Partial<DecisionRules> = {}): NormalisedEvent => {
  const decision = decideValid(event, rules);
  if (typeof decision === "string") throw new Error(`Want a call, got ${decision}`);
  return JSON.parse(String(decision.body)) as NormalisedEvent;
};
