import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { createHandler } from "../../src/core/decide.ts";
import type { RawEvent } from "../../src/core/event/event.ts";
import { noRules } from "./no-rules.ts";

const handle = createHandler({ ...noRules, events: ["Allowed"], skippedTypes: ["heartBeat"] });

const bodyOf = (raw: RawEvent): RawEvent => {
  const { meaning } = handle(raw);
  if (meaning.kind !== "call") throw new Error(`Want a call, got ${meaning.reason}`);
  return JSON.parse(String(meaning.body)) as RawEvent;
};

const identify = { type: "identify", userId: "u1", timestamp: "2024-01-02T03:04:05.678Z" } as const;

describe("createHandler()", () => {
  test.each<[RawEvent, object]>([
    [identify, { kind: "call", call: "identify" }],
    [
      { ...identify, type: "group", groupId: "g1" },
      { kind: "call", call: "group" },
    ],
    [
      { ...identify, type: "track", event: "Allowed" },
      { kind: "call", call: "track" },
    ],
    [
      { ...identify, type: "track", event: "Other" },
      { kind: "skipped", reason: "filtered_by_allow_list" },
    ],
    [
      { ...identify, type: "identify", event: "Other" },
      { kind: "call", call: "identify" },
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
  ])("takes %j for %j", (raw, expected) => {
    expect(handle(raw).meaning).toMatchObject(expected);
  });

  test("says what Engage computed, also of an event that is filtered", () => {
    const context = { personas: { computation_class: "audience", computation_key: "vip" } };
    expect(handle({ ...identify, context }).meaning).toMatchObject({ kind: "call", computationClass: "audience" });
    expect(handle({ ...identify, type: "track", event: "Audience Entered", context }).meaning).toEqual({
      kind: "skipped",
      reason: "filtered_by_allow_list",
      computationClass: "audience",
    });
  });

  test("touches nothing nested, not even times or numbers beyond 2^53 as text", () => {
    const nested = {
      traits: { timestamp: "2024-01-02", sentAt: "yesterday", "a b": [null, { "": "9007199254740993" }], gone: null },
      context: { timestamp: 7, ip: "::1" },
      integrations: { All: true },
      version: 2,
      unknownField: { type: "track" },
    };
    expect(bodyOf({ ...identify, ...nested })).toEqual({ ...identify, ...nested });
  });

  test("drops nothing, whatever the event carries", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (free) => {
        const raw = { ...(free as RawEvent), ...identify, traits: free as RawEvent };
        expect(bodyOf(raw)).toEqual(JSON.parse(JSON.stringify(raw)));
      }),
    );
  });

  test("changes nothing of the event it was given", () => {
    const raw = Object.freeze({ type: "identify", userId: "u1", sentAt: "2024-01-02" });
    expect(bodyOf(raw)).toEqual(raw);
  });
});
