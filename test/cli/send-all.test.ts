import { describe, expect, it } from "vitest";

import { checkAll, sendAll } from "../../src/cli/send-all.ts";
import { type Source, inputOf } from "../../src/cli/send-input.ts";
import type { OutgoingRecord } from "../../src/cli/send-kafka.ts";
import type { JsonObject } from "../../src/core/json/json.ts";

const track = (userId: string, properties: JsonObject = {}): JsonObject => ({
  type: "track",
  event: "A",
  userId,
  properties,
});

const asSource = (name: string, events: readonly unknown[]): Source => ({
  name,
  input: inputOf(events.map((event) => JSON.stringify(event)).join("\n")),
});
const asSources = (events: readonly unknown[]): readonly Source[] => [asSource("events.jsonl", events)];

const print = (): void => {};
const encode = (event: JsonObject): Buffer => Buffer.from(JSON.stringify(event));
const wireFormat = "json";
const rules = { wireFormat, invalid: false, skippedTypes: [], print } as const;

/** A topic that records the batches, and can refuse one of them. */
const createTopic = (refuses?: number) => {
  const batches: OutgoingRecord[][] = [];
  const send = async (records: readonly OutgoingRecord[]): Promise<number[]> => {
    if (batches.length === refuses) throw new Error("Cannot write to topic t");
    batches.push([...records]);
    return [batches.length % 3, 1];
  };
  return { batches, send };
};

describe("checkAll()", () => {
  it("accepts valid events", async () => {
    await expect(checkAll(asSources([track("u1"), track("u2")]), rules)).resolves.toBeUndefined();
  });

  it("names the line and the rule of each mistake, and never the payload", async () => {
    const input = asSources([
      track("u1"),
      { ...track("secret"), userId: "" },
      track("u1"),
      { type: "group", userId: "u1" },
    ]);
    const lines = ((await checkAll(input, rules).catch(String)) as string).split("\n");
    expect(lines).toEqual([
      "Error: Cannot send these events; nothing is sent:",
      expect.stringMatching(/^ {2}line 2: no_user_anon_id: /),
      expect.stringMatching(/^ {2}line 4: group_id_not_defined: /),
    ]);
  });

  it("also names the file if there are several", async () => {
    const sources = [asSource("a.jsonl", [track("u1")]), asSource("b.jsonl", [track("u1"), track("")])];
    await expect(checkAll(sources, rules)).rejects.toThrow("  b.jsonl, line 2: no_user_anon_id: ");
    const empty = [asSource("a.jsonl", [track("u1")]), asSource("b.jsonl", [])];
    await expect(checkAll(empty, rules)).rejects.toThrow("Cannot find an event in b.jsonl: got nothing");
  });

  it("stops after ten mistakes", async () => {
    const said = String(await checkAll(asSources(Array.from({ length: 50 }, () => 4)), rules).catch(String));
    expect(said.split("\n")).toHaveLength(11);
  });
});

describe("sendAll()", () => {
  it("sends in order, at most 500 at a time, and returns the count and the partitions", async () => {
    const topic = createTopic();
    const input = asSources(Array.from({ length: 1_201 }, (_, index) => track(`u${index}`)));
    expect(await sendAll(input, { sink: topic, wireFormat, encode, print })).toEqual({
      count: 1_201,
      partitions: "0, 1, 2",
    });
    expect(topic.batches.map((batch) => batch.length)).toEqual([500, 500, 201]);
    expect(topic.batches.flat().map(({ key }) => key)).toEqual(
      Array.from({ length: 1_201 }, (_, index) => `u${index}`),
    );
  });

  it("sends less than a broker takes at a time, and a larger record on its own", async () => {
    const topic = createTopic();
    const sizes = [200, 200, 200, 2_000, 100];
    const input = asSources(sizes.map((size) => track("u1", { text: "x".repeat(size * 1024) })));
    await sendAll(input, { sink: topic, wireFormat, encode, print });
    expect(topic.batches.map((batch) => batch.length)).toEqual([2, 1, 1, 1]);
  });

  it.each([
    [{ userId: "u", anonymousId: "a", groupId: "g" }, "u"],
    [{ anonymousId: "a", groupId: "g" }, "a"],
    [{ groupId: "g" }, "g"],
    [{}, null],
  ])("sends %j with the key %j", async (ids, key) => {
    const topic = createTopic();
    await sendAll(asSources([{ type: "page", ...ids }]), { sink: topic, wireFormat, encode, print });
    expect(topic.batches.flat().map((record) => record.key)).toEqual([key]);
  });

  it("sends files in their order", async () => {
    const topic = createTopic();
    const sources = [asSource("a.jsonl", [track("u1"), track("u2")]), asSource("b.jsonl", [track("u3")])];
    expect(await sendAll(sources, { sink: topic, wireFormat, encode, print })).toMatchObject({ count: 3 });
    expect(topic.batches.flat().map(({ key }) => key)).toEqual(["u1", "u2", "u3"]);
  });

  it.each([
    ["unrepaired JSON, so that the service shows its repairs", "json", { user_id: 5, type: "Page" }],
    ["the normal form as Avro", "avro", { userId: "5", type: "page" }],
  ] as const)("writes %s", async (_, format, expected) => {
    const topic = createTopic();
    await sendAll(asSources([{ user_id: 5, type: "Page" }]), { sink: topic, wireFormat: format, encode, print });
    const [record] = topic.batches.flat();
    expect(JSON.parse(String(record?.value))).toEqual({
      ...expected,
      messageId: expect.any(String),
      timestamp: expect.any(String),
    });
    expect(record?.key).toBe("5");
  });

  it("says which events were sent if the topic refuses the next ones", async () => {
    const input = asSources(Array.from({ length: 700 }, () => track("u1")));
    const sending = sendAll(input, { sink: createTopic(1), wireFormat, encode, print });
    await expect(sending).rejects.toThrow("Cannot write to topic t; the 500 events before line 501 were sent");
  });
});
