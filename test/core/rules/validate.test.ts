import { describe, expect, test } from "vitest";

import { skippedTypes } from "../../../src/core/event/event-types.ts";
import type { RawEvent } from "../../../src/core/event/event.ts";
import { createSkippedTypes, parseEvent, userOf } from "../../../src/core/rules/validate.ts";

const identify = { type: "identify", userId: "u1" } as const;
const track = { type: "track", userId: "u1", event: "Order Completed" } as const;
const group = { type: "group", userId: "u1", groupId: "g1" } as const;

const broken: [rule: string, what: string, raw: RawEvent][] = [
  ["type_missing", "no type", { userId: "u1" }],
  ["type_missing", "an empty type", { ...identify, type: "" }],
  ["type_missing", "a type of null", { ...identify, type: null }],
  ["type_missing", "a type that is a number", { ...identify, type: 7 }],
  ["type_unknown", "a type that nobody knows", { ...identify, type: "Order Completed" }],
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

describe("parseEvent()", () => {
  test.each(broken)("breaks %s: %s", (rule, _, raw) => {
    const parsed = parseEvent(raw);
    expect(parsed).toMatchObject({ kind: "dead", reason: "invalid_event" });
    expect("error" in parsed && parsed.error.startsWith(`${rule}: `)).toBe(true);
  });

  test("never repeats in the error what the event says, for that is personal data", () => {
    const raw = { type: "identify", userId: "secret-user", traits: "secret-trait" };
    expect(JSON.stringify(parseEvent(raw))).not.toContain("secret");
    expect(JSON.stringify(parseEvent({ ...raw, type: "secret-type" }))).not.toContain("secret");
  });

  test.each<[string, RawEvent, object]>([
    ["an identify", identify, { type: "identify" }],
    ["a track", track, { type: "track", event: "Order Completed" }],
    ["a group", group, { type: "group", groupId: "g1" }],
    ["an anonymous identify", { type: "identify", anonymousId: "a1", userId: null }, { type: "identify" }],
    ["a page, as one that Gainsight has no use for", { ...identify, type: "page" }, { type: "other", name: "page" }],
    ["a skipped type in another case", { ...identify, type: "AudienceList" }, { type: "other", name: "AudienceList" }],
    ["a page without a user, as one that Gainsight has no use for", { type: "page" }, { type: "other", name: "page" }],
    ["a screen whose userId is a number likewise", { type: "screen", userId: 7 }, { type: "other", name: "screen" }],
    ["null traits", { ...identify, traits: null }, { type: "identify" }],
    ["null properties", { ...track, properties: null }, { type: "track" }],
    ["free-form traits", { ...identify, traits: { "a b": { c: [1, null] } } }, { type: "identify" }],
  ])("reads %s", (_, raw, expected) => {
    const parsed = parseEvent(raw);
    expect(parsed).toMatchObject(expected);
    expect("raw" in parsed && parsed.raw).toBe(raw);
  });
});

describe("createSkippedTypes()", () => {
  const skipped = createSkippedTypes(["Heartbeat "]);

  test.each([...skippedTypes, "heartbeat", "HEARTBEAT"])("skips %s", (type) => {
    expect(parseEvent({ type }, skipped)).toMatchObject({ type: "other" });
  });

  test("names in the error what may be sent", () => {
    const parsed = parseEvent({ ...identify, type: "ping" }, skipped);
    expect("error" in parsed && parsed.error).toMatch(
      /^type_unknown: .*identify, track or group.*page.*record.*skippedTypes/,
    );
  });
});

describe("userOf()", () => {
  test.each<[string, RawEvent, string | undefined]>([
    ["the userId first", { userId: "u", anonymousId: "a", groupId: "g" }, "u"],
    ["the anonymousId where the userId is empty", { userId: "", anonymousId: "a", groupId: "g" }, "a"],
    ["the groupId where there is no other", { userId: null, groupId: "g" }, "g"],
    ["nobody where the ids are no text", { userId: 7, anonymousId: {}, groupId: null }, undefined],
    ["nobody where there is nothing", {}, undefined],
  ])("takes %s", (_, raw, user) => {
    expect(userOf(raw)).toBe(user);
  });
});
