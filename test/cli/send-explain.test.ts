import { describe, expect, it } from "vitest";

import type { EventItem, SendItem } from "../../src/cli/send-events.ts";
import { type Explanation, createExplainer } from "../../src/cli/send-explain.ts";
import { createDryRunCodec, wireFormatOf } from "../../src/cli/send-wire.ts";
import { parseSettings } from "../../src/config/settings/settings.ts";
import type { JsonObject } from "../../src/core/json/json.ts";
import { createDecideFor, createPiiRemoverFor } from "../../src/service/live-settings.ts";

const schemaFile = "schemas/segment-event.avsc";
const registry = { url: "http://127.0.0.1:1" };

const inputs = {
  JSON: { format: "json", schemaFile },
  "bare Avro": { format: "avro", schemaFile },
  "Avro of the registry": { format: "registry", schemaFile, registry },
  "auto without a registry": { format: "auto", schemaFile },
  "auto with a registry": { format: "auto", schemaFile, registry },
} as const;

const order = {
  type: "track",
  event: "Order Completed",
  messageId: "m1",
  userId: "u1",
  timestamp: "2026-01-31T12:00:00.000Z",
  properties: { total: 27.5, seats: 3, coupon: null, email: "a@b.example" },
};

const itemOf = (event: JsonObject, location = "line 1", repairs: EventItem["repairs"] = []): EventItem => ({
  location,
  input: event,
  event,
  repairs,
});

const broken = "Cannot read JSON: got 8 characters that are not valid JSON";
const items: readonly SendItem[] = [
  itemOf(order),
  itemOf({ ...order, event: "Page\nScrolled" }, "line 2"),
  itemOf({ type: "page", anonymousId: "a1" }, "line 4"),
  itemOf({ ...order, userId: "" }, "line 5"),
  { location: "line 6", decision: { kind: "dead", reason: "undecodable", error: broken } },
  { location: "line 7", decision: { kind: "skipped", reason: "tombstone" } },
];

interface Explained {
  readonly input?: keyof typeof inputs;
  readonly settings?: string;
}

const explain = ({ input = "JSON", settings = "" }: Explained, given = items): readonly Explanation[] => {
  const parsed = parseSettings(settings);
  const rules = { decide: createDecideFor(parsed), withoutPii: createPiiRemoverFor(parsed) };
  const wireFormat = wireFormatOf(inputs[input]);
  return given.map(createExplainer({ wireFormat, ...createDryRunCodec(inputs[input]), ...rules }));
};

describe("a dry run", () => {
  it("shows the hash of a user id if the settings hash it, for every outcome", () => {
    const settings = "pii: { hash: [userId, anonymousId] }\nevents: [Order Completed]";
    for (const explanation of explain({ settings })) expect(JSON.stringify(explanation)).not.toMatch(/u1|a1/);
  });

  it.each(Object.keys(inputs) as (keyof typeof inputs)[])("explains what the service would do, in %s", (input) => {
    const explanations = explain({ input, settings: "events: [Order Completed]" });
    expect(explanations.map(({ location, title, label }) => `${location}: ${title} → ${label}`)).toEqual([
      "line 1: track 'Order Completed' of user 'u1' → call track",
      "line 2: track 'Page Scrolled' of user 'u1' → skipped filtered_by_allow_list",
      "line 4: page of user 'a1' → skipped unsupported_event_type",
      "line 5: track 'Order Completed' without a user → dead invalid_event",
      "line 6: no event → dead undecodable",
      "line 7: no event → skipped tombstone",
    ]);
    expect(explanations.map(({ why }) => why)).toEqual([
      undefined,
      expect.stringContaining("The setting `events`"),
      expect.stringContaining("delivers identify, track and group"),
      expect.stringMatching(/^no_user_anon_id: Either/),
      broken,
      "The record holds no event",
    ]);
    expect(explanations.map(({ isUnsendable }) => isUnsendable)).toEqual([false, false, false, false, true, true]);
  });

  it.each(Object.keys(inputs) as (keyof typeof inputs)[])("shows the body that Gainsight would get, in %s", (input) => {
    const [explanation] = explain({ input });
    expect(JSON.parse(explanation?.body ?? "")).toEqual(order);
  });

  it("uses all settings", () => {
    const settings = "pii: { drop: [properties.email] }\nfilters: [{ action: drop_property, path: properties.coupon }]";
    const [explanation] = explain({ settings });
    expect(JSON.parse(explanation?.body ?? "")).toEqual({ ...order, properties: { total: 27.5, seats: 3 } });
  });

  const given = { ...order, type: "Track", userId: 5 };
  const repaired = { ...itemOf({ ...order, userId: "5" }), input: given, repairs: ["type_case", "id_number"] } as const;
  it.each(Object.keys(inputs) as (keyof typeof inputs)[])("names each repair once, in %s", (input) => {
    expect(explain({ input }, [repaired])).toMatchObject([
      { label: "call track", repairs: ["type_case", "id_number"] },
    ]);
  });

  it("names the repairs that the service makes in the bytes of a line", () => {
    expect(explain({}, [{ ...repaired, repairs: [] }])).toMatchObject([{ repairs: ["type_case", "id_number"] }]);
  });

  it("says what Avro cannot hold", () => {
    expect(explain({ input: "bare Avro" }, [itemOf({ ...order, traits: "x" })])).toMatchObject([
      {
        label: "cannot be sent",
        why: expect.stringContaining("Cannot write the event as Avro: got another kind of `traits`"),
        isUnsendable: true,
      },
    ]);
  });
});
