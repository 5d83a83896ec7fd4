import { createHash } from "node:crypto";

import { type Call, type HandlerRules, createHandler } from "../../src/core/decide.ts";
import type { RawEvent } from "../../src/core/event/event.ts";
import { normalEvent } from "../../src/core/event/normal-form.ts";
import type { SkipReason } from "../../src/core/outcome/outcome.ts";

export const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

/** The rules of the settings' defaults: nothing optional is set up. */
export const noRules: HandlerRules = {
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
export const judge = (raw: RawEvent, rules: Partial<HandlerRules> = {}): Call | SkipReason => {
  const normal = normalEvent(raw, { recordTime: -1, now: () => Date.UTC(2026, 0, 1) }).raw;
  const { meaning } = createHandler({ ...noRules, ...rules })(normal);
  if (meaning.kind === "dead") throw new Error(`The test's own event is invalid: ${meaning.error}`);
  return meaning.kind === "call" ? meaning : meaning.reason;
};

/** What an event that goes is sent as. */
export const sentAs = (raw: RawEvent, rules: Partial<HandlerRules> = {}): RawEvent => {
  const meaning = judge(raw, rules);
  if (typeof meaning === "string") throw new Error(`Want a call, got ${meaning}`);
  return JSON.parse(String(meaning.body)) as RawEvent;
};
