import { describe, expect, it } from "vitest";

import type { Item } from "../../src/cli/send-events.ts";
import { createExplainer } from "../../src/cli/send-explain.ts";
import { createRehearsal } from "../../src/cli/send-wire.ts";
import { parseSettings } from "../../src/config/settings.ts";
import { handlerOf } from "../../src/settings-in-use.ts";

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

const items: readonly Item[] = [
  { place: "line 1", event: order, repairs: [] },
  { place: "line 2", event: { ...order, event: "Page\nScrolled" }, repairs: [] },
  { place: "line 4", event: { type: "page", anonymousId: "a1" }, repairs: [] },
  { place: "line 5", event: { ...order, userId: "" }, repairs: [] },
  { place: "line 6", problem: "Cannot read JSON: got 8 characters that are not valid JSON" },
];

interface Explained {
  readonly input?: keyof typeof inputs;
  readonly settings?: string;
  readonly body?: boolean;
}

const explain = ({ input = "JSON", settings = "", body = false }: Explained, given = items) => {
  const lines: string[] = [];
  const handle = handlerOf(parseSettings(settings));
  const print = (line: string): void => void lines.push(line);
  const explainer = createExplainer({ ...createRehearsal(inputs[input]), handle, body, print });
  for (const item of given) explainer.explain(item);
  return { lines, totals: explainer.totals(), unsendable: explainer.unsendable() };
};

describe("a dry run", () => {
  it.each(Object.keys(inputs) as (keyof typeof inputs)[])("says what the service would do, in %s", (input) => {
    const { lines, totals, unsendable } = explain({ input, settings: "events: [Order Completed]" });
    expect(lines).toEqual([
      expect.stringMatching(/^line 1: track 'Order Completed' of user 'u1' → call track, \d+ bytes$/),
      "line 2: track 'Page Scrolled' of user 'u1' → skipped filtered_by_allow_list",
      "line 4: page of user 'a1' → skipped unsupported_event_type",
      expect.stringMatching(/^line 5: track .* of nobody → dead invalid_event: no_user_anon_id: Either/),
      "line 6: → cannot be sent: Cannot read JSON: got 8 characters that are not valid JSON",
    ]);
    expect(totals).toBe(
      "5 events: 1 call track, 1 skipped filtered_by_allow_list, 1 skipped unsupported_event_type, 1 dead invalid_event, " +
        "1 cannot be sent. Nothing was sent",
    );
    expect(unsendable).toBe(1);
  });

  it.each(Object.keys(inputs) as (keyof typeof inputs)[])("shows the body that Gainsight would get, in %s", (input) => {
    const { lines } = explain({ input, body: true }, items.slice(0, 1));
    expect(lines[0]).toContain(`${Buffer.byteLength(lines[1] ?? "")} bytes`);
    expect(JSON.parse(lines[1] ?? "")).toEqual(order);
  });

  it("goes by all of the settings", () => {
    const settings = "pii: { drop: [properties.email] }\nfilters: [{ action: drop_property, path: properties.coupon }]";
    const { lines } = explain({ settings, body: true }, items.slice(0, 1));
    expect(JSON.parse(lines[1] ?? "")).toEqual({ ...order, properties: { total: 27.5, seats: 3 } });
  });

  it("says what Avro has no room for", () => {
    const { lines, unsendable } = explain({ input: "bare Avro" }, [
      { place: "line 1", event: { ...order, traits: "x" }, repairs: [] },
    ]);
    expect(lines).toEqual([
      expect.stringContaining("→ cannot be sent: Cannot write the event as Avro: got another kind of `traits`"),
    ]);
    expect(unsendable).toBe(1);
  });

  it("counts one event as one", () => {
    expect(explain({}, items.slice(0, 1)).totals).toBe("1 event: 1 call track. Nothing was sent");
  });
});
