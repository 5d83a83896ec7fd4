import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { createDecide } from "../../src/core/decide.ts";
import type { NormalisedEvent } from "../../src/core/event/event.ts";
import { noRules } from "./no-rules.ts";

const decide = createDecide({ ...noRules, events: ["Allowed"], skippedTypes: ["heartBeat"] });

const bodyOf = (event: NormalisedEvent): NormalisedEvent => {
  const { decision } = decide(event);
  if (decision.kind !== "call") throw new Error(`Want a call, got ${decision.reason}`);
  return JSON.parse(String(decision.body)) as NormalisedEvent;
};

const identify = { type: "identify", userId: "u1", timestamp: "2024-01-02T03:04:05.678Z" } as const;

describe("createDecide()", () => {
  test.each<[NormalisedEvent, object]>([
    [identify, { kind: "call", type: "identify" }],
    [
      { ...identify, type: "group", groupId: "g1" },
      { kind: "call", type: "group" },
    ],
    [
      { ...identify, type: "track", event: "Allowed" },
      { kind: "call", type: "track" },
    ],
    [
      { ...identify, type: "track", event: "Other" },
      { kind: "skipped", reason: "filtered_by_allow_list" },
    ],
    [
      { ...identify, type: "identify", event: "Other" },
      { kind: "call", type: "identify" },
    ],
    [
      { ...identify, type: "page" },
      { kind: "skipped", reason: "unsupported_event_type" },
    ],
    [
      { ...identify, type: "Heartbeat" },
      { kind: "skipped", reason: "unsupported_event_type" },
    ],
    [
      { ...identify, type: "nobody-knows" },
      { kind: "dead", reason: "invalid_event" },
    ],
  ])("decides %j as %j", (event, expected) => {
    expect(decide(event).decision).toMatchObject(expected);
  });

  test("names the class of an Engage event, also of one that is filtered", () => {
    const context = { personas: { computation_class: "audience", computation_key: "vip" } };
    expect(decide({ ...identify, context }).decision).toMatchObject({ kind: "call", computationClass: "audience" });
    expect(decide({ ...identify, type: "track", event: "Audience Entered", context }).decision).toEqual({
      kind: "skipped",
      reason: "filtered_by_allow_list",
      computationClass: "audience",
    });
  });

  test("leaves nested values unchanged, also times and numbers beyond 2^53 as text", () => {
    const nested = {
      traits: { timestamp: "2024-01-02", sentAt: "yesterday", "a b": [null, { "": "9007199254740993" }], gone: null },
      context: { timestamp: 7, ip: "::1" },
      integrations: { All: true },
      version: 2,
      unknownField: { type: "track" },
    };
    expect(bodyOf({ ...identify, ...nested })).toEqual({ ...identify, ...nested });
  });

  test("sends every field of the event", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (free) => {
        const event = { ...(free as NormalisedEvent), ...identify, traits: free as NormalisedEvent };
        expect(bodyOf(event)).toEqual(JSON.parse(JSON.stringify(event)));
      }),
    );
  });

  test("does not change the event", () => {
    const event = Object.freeze({ type: "identify", userId: "u1", sentAt: "2024-01-02" });
    expect(bodyOf(event)).toEqual(event);
  });
});
