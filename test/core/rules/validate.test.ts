import { describe, expect, test } from "vitest";

import { builtInSkippedTypes } from "../../../src/core/event/event-types.ts";
import type { NormalisedEvent } from "../../../src/core/event/event.ts";
import { createSkippedTypes, validateEvent, userOf } from "../../../src/core/rules/validate.ts";

const identify = { type: "identify", userId: "u1" } as const;
const track = { type: "track", userId: "u1", event: "Order Completed" } as const;
const group = { type: "group", userId: "u1", groupId: "g1" } as const;

const broken: [rule: string, what: string, event: NormalisedEvent][] = [
  ["type_missing", "no type", { userId: "u1" }],
  ["type_missing", "an empty type", { ...identify, type: "" }],
  ["type_missing", "a type of null", { ...identify, type: null }],
  ["type_missing", "a type that is a number", { ...identify, type: 7 }],
  ["type_unknown", "an unknown type", { ...identify, type: "Order Completed" }],
  ["type_unknown", "a type of spaces", { ...identify, type: " " }],
  ["type_unknown", "a type named as a property of every object", { ...identify, type: "constructor" }],
  ["id_not_string", "a userId that is a number", { ...identify, userId: 7 }],
  ["id_not_string", "an anonymousId that is an object", { ...identify, anonymousId: {} }],
  ["id_not_string", "a messageId that is a number", { ...identify, messageId: 7 }],
  ["id_not_string", "a groupId that is a list, also on a track call", { ...track, groupId: ["g"] }],
  ["no_user_anon_id", "neither userId nor anonymousId", { type: "identify" }],
  ["no_user_anon_id", "an empty userId and a null anonymousId", { type: "identify", userId: "", anonymousId: null }],
  ["no_user_anon_id", "a group with nothing but its groupId", { type: "group", groupId: "g1" }],
  ["event_not_defined", "a track without event", { type: "track", userId: "u1" }],
  ["event_not_defined", "a track with an empty event", { ...track, event: "" }],
  ["event_not_defined", "a track whose event is no string", { ...track, event: 7 }],
  ["group_id_not_defined", "a group without groupId", { type: "group", userId: "u1" }],
  ["group_id_not_defined", "a group with an empty groupId", { ...group, groupId: "" }],
  ["traits_not_object", "traits that are a list", { ...identify, traits: [] }],
  ["traits_not_object", "traits that are text", { ...identify, traits: "{}" }],
  ["traits_not_object", "traits that are false", { ...identify, traits: false }],
  ["properties_not_object", "properties that are a number", { ...track, properties: 0 }],
  ["properties_not_object", "properties that are a list", { ...track, properties: [1] }],
];

describe("validateEvent()", () => {
  test.each(broken)("breaks %s: %s", (rule, _, event) => {
    const error = expect.stringMatching(`^${rule}: `) as string;
    expect(validateEvent(event)).toMatchObject({ kind: "dead", reason: "invalid_event", rule, error });
  });

  test("never quotes the event in the error, because it may hold personal data", () => {
    const event = { type: "identify", userId: "secret-user", traits: "secret-trait" };
    expect(JSON.stringify(validateEvent(event))).not.toContain("secret");
    expect(JSON.stringify(validateEvent({ ...event, type: "secret-type" }))).not.toContain("secret");
  });

  test.each<[string, NormalisedEvent, string]>([
    ["an identify", identify, "identify"],
    ["a track", track, "track"],
    ["a group", group, "group"],
    ["an anonymous identify", { type: "identify", anonymousId: "a1", userId: null }, "identify"],
    ["a page, which Gainsight has no use for", { ...identify, type: "page" }, "other"],
    ["a skipped type in another case", { ...identify, type: "AudienceList" }, "other"],
    ["a page without a user", { type: "page" }, "other"],
    ["a screen whose userId is a number", { type: "screen", userId: 7 }, "other"],
    ["null traits", { ...identify, traits: null }, "identify"],
    ["null properties", { ...track, properties: null }, "track"],
    ["free-form traits", { ...identify, traits: { "a b": { c: [1, null] } } }, "identify"],
  ])("accepts %s", (_, event, type) => {
    expect(validateEvent(event)).toBe(type);
  });
});

describe("createSkippedTypes()", () => {
  const skipped = createSkippedTypes(["Heartbeat "]);

  test.each([...builtInSkippedTypes, "heartbeat", "HEARTBEAT"])("skips %s", (type) => {
    expect(validateEvent({ type }, skipped)).toBe("other");
  });

  test("names the accepted types in the error", () => {
    const error = /^type_unknown: .*identify, track or group.*page.*record.*skippedTypes/;
    expect(validateEvent({ ...identify, type: "ping" }, skipped)).toMatchObject({
      error: expect.stringMatching(error) as string,
    });
  });
});

describe("userOf()", () => {
  test.each<[string, NormalisedEvent, string | undefined]>([
    ["the userId first", { userId: "u", anonymousId: "a", groupId: "g" }, "u"],
    ["the anonymousId if the userId is empty", { userId: "", anonymousId: "a", groupId: "g" }, "a"],
    ["the groupId if there is no other id", { userId: null, groupId: "g" }, "g"],
    ["nobody if the ids are no text", { userId: 7, anonymousId: {}, groupId: null }, undefined],
    ["nobody if there is no id", {}, undefined],
  ])("returns %s", (_, event, user) => {
    expect(userOf(event)).toBe(user);
  });
});
