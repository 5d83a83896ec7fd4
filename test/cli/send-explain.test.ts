import { describe, expect, it } from "vitest";

import type { EventItem, Item } from "../../src/cli/send-events.ts";
import { type Verdict, createExplainer } from "../../src/cli/send-explain.ts";
import { createRehearsal, wireOf } from "../../src/cli/send-wire.ts";
import { parseSettings } from "../../src/config/settings/settings.ts";
import type { JsonObject } from "../../src/core/json/json.ts";
import { handlerOf, piiRemoverOf } from "../../src/service/live-settings.ts";

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

const itemOf = (event: JsonObject, place = "line 1", repairs: EventItem["repairs"] = []): EventItem => ({
  place,
  given: event,
  event,
  repairs,
});

const broken = "Cannot read JSON: got 8 characters that are not valid JSON";
const items: readonly Item[] = [
  itemOf(order),
  itemOf({ ...order, event: "Page\nScrolled" }, "line 2"),
  itemOf({ type: "page", anonymousId: "a1" }, "line 4"),
  itemOf({ ...order, userId: "" }, "line 5"),
  { place: "line 6", meaning: { kind: "dead", reason: "undecodable", error: broken } },
  { place: "line 7", meaning: { kind: "skipped", reason: "tombstone" } },
];

interface Explained {
  readonly input?: keyof typeof inputs;
  readonly settings?: string;
}

const explain = ({ input = "JSON", settings = "" }: Explained, given = items): readonly Verdict[] => {
  const parsed = parseSettings(settings);
  const rules = { handle: handlerOf(parsed), withoutPii: piiRemoverOf(parsed) };
  const wire = wireOf(inputs[input]);
  return given.map(createExplainer({ wire, ...createRehearsal(inputs[input]), ...rules }));
};

describe("a dry run", () => {
  it("names users by the hashes of their ids, if the settings hash them, whatever becomes of the event", () => {
    const settings = "pii: { hash: [userId, anonymousId] }\nevents: [Order Completed]";
    for (const verdict of explain({ settings })) expect(JSON.stringify(verdict)).not.toMatch(/u1|a1/);
  });

  it.each(Object.keys(inputs) as (keyof typeof inputs)[])("says what the service would do, in %s", (input) => {
    const verdicts = explain({ input, settings: "events: [Order Completed]" });
    expect(verdicts.map(({ place, title, label }) => `${place}: ${title} → ${label}`)).toEqual([
      "line 1: track 'Order Completed' of user 'u1' → call track",
      "line 2: track 'Page Scrolled' of user 'u1' → skipped filtered_by_allow_list",
      "line 4: page of user 'a1' → skipped unsupported_event_type",
      "line 5: track 'Order Completed' of nobody → dead invalid_event",
      "line 6: no event → dead undecodable",
      "line 7: no event → skipped tombstone",
    ]);
    expect(verdicts.map(({ why }) => why)).toEqual([
      undefined,
      expect.stringContaining("`events` of the settings"),
      expect.stringContaining("Gainsight takes identify, track and group"),
      expect.stringMatching(/^no_user_anon_id: Either/),
      broken,
      "The record holds no event",
    ]);
    expect(verdicts.map(({ isUnsendable }) => isUnsendable)).toEqual([false, false, false, false, true, true]);
  });

  it.each(Object.keys(inputs) as (keyof typeof inputs)[])("says the body that Gainsight would get, in %s", (input) => {
    const [verdict] = explain({ input });
    expect(JSON.parse(verdict?.body ?? "")).toEqual(order);
  });

  it("goes by all of the settings", () => {
    const settings = "pii: { drop: [properties.email] }\nfilters: [{ action: drop_property, path: properties.coupon }]";
    const [verdict] = explain({ settings });
    expect(JSON.parse(verdict?.body ?? "")).toEqual({ ...order, properties: { total: 27.5, seats: 3 } });
  });

  const given = { ...order, type: "Track", userId: 5 };
  const repaired = { ...itemOf({ ...order, userId: "5" }), given, repairs: ["type_case", "id_number"] } as const;
  it.each(Object.keys(inputs) as (keyof typeof inputs)[])("names each repair once, in %s", (input) => {
    expect(explain({ input }, [repaired])).toMatchObject([
      { label: "call track", repairs: ["type_case", "id_number"] },
    ]);
  });

  it("names what the service repairs in the bytes of a line", () => {
    expect(explain({}, [{ ...repaired, repairs: [] }])).toMatchObject([{ repairs: ["type_case", "id_number"] }]);
  });

  it("says what Avro has no room for", () => {
    expect(explain({ input: "bare Avro" }, [itemOf({ ...order, traits: "x" })])).toMatchObject([
      {
        label: "cannot be sent",
        why: expect.stringContaining("Cannot write the event as Avro: got another kind of `traits`"),
        isUnsendable: true,
      },
    ]);
  });
});
