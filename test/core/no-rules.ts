import { createHash } from "node:crypto";

import { type Call, type DecisionRules, createDecide } from "../../src/core/decide.ts";
import type { RawEvent } from "../../src/core/event/event.ts";
import { normaliseEvent } from "../../src/core/event/normal-form.ts";
import type { SkipReason } from "../../src/core/outcome/outcome.ts";

export const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

/** The rules of the settings' defaults: nothing optional is set up. */
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

/** What a valid event, in its normal form, means by some rules: a call, or why there is none. */
export const judge = (raw: RawEvent, rules: Partial<DecisionRules> = {}): Call | SkipReason => {
  const normal = normaliseEvent(raw, { recordTime: -1, wallNow: () => Date.UTC(2026, 0, 1) }).raw;
  const { decision } = createDecide({ ...noRules, ...rules })(normal);
  if (decision.kind === "dead") throw new Error(`The test's own event is invalid: ${decision.error}`);
  return decision.kind === "call" ? decision : decision.reason;
};

/** What an event that goes is sent as. */
export const sentAs = (raw: RawEvent, rules: Partial<DecisionRules> = {}): RawEvent => {
  const decision = judge(raw, rules);
  if (typeof decision === "string") throw new Error(`Want a call, got ${decision}`);
  return JSON.parse(String(decision.body)) as RawEvent;
};
