import { describe, expect, it } from "vitest";

import { checkAll, sendAll } from "../../src/cli/send-all.ts";
import { textInput } from "../../src/cli/send-input.ts";
import type { OutgoingRecord } from "../../src/cli/send-kafka.ts";
import type { JsonObject } from "../../src/core/event.ts";

const track = (userId: string, properties: JsonObject = {}): JsonObject => ({
  type: "track",
  event: "A",
  userId,
  properties,
});

const asInput = (events: readonly unknown[]) => textInput(events.map((event) => JSON.stringify(event)).join("\n"));

const say = (): void => {};
const encode = (event: JsonObject): Buffer => Buffer.from(JSON.stringify(event));
const rules = { wire: "json", invalid: false, skippedTypes: [], say } as const;

/** A topic that remembers the batches, and can refuse one of them. */
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
  it("is content with good events", async () => {
    await expect(checkAll(asInput([track("u1"), track("u2")]), rules)).resolves.toBeUndefined();
  });

  it("names the line and the rule of each mistake, and never the payload", async () => {
    const input = asInput([
      track("u1"),
      { ...track("secret"), userId: "" },
      track("u1"),
      { type: "group", userId: "u1" },
    ]);
    const lines = ((await checkAll(input, rules).catch(String)) as string).split("\n");
    expect(lines).toEqual([
      "Error: Cannot send these events, so nothing is sent:",
      expect.stringMatching(/^ {2}line 2: no_user_anon_id: /),
      expect.stringMatching(/^ {2}line 4: group_id_not_defined: /),
    ]);
  });

  it("stops after ten mistakes", async () => {
    const said = String(await checkAll(asInput(Array.from({ length: 50 }, () => 4)), rules).catch(String));
    expect(said.split("\n")).toHaveLength(11);
  });
});

describe("sendAll()", () => {
  it("sends in order, at most 500 at a time, and tells how many and where to", async () => {
    const topic = createTopic();
    const input = asInput(Array.from({ length: 1_201 }, (_, index) => track(`u${index}`)));
    expect(await sendAll(input, { sink: topic, encode, say })).toEqual({ count: 1_201, partitions: "0, 1, 2" });
    expect(topic.batches.map((batch) => batch.length)).toEqual([500, 500, 201]);
    expect(topic.batches.flat().map(({ key }) => key)).toEqual(
      Array.from({ length: 1_201 }, (_, index) => `u${index}`),
    );
  });

  it("sends less than a broker takes at a time, and what is larger on its own", async () => {
    const topic = createTopic();
    const sizes = [200, 200, 200, 2_000, 100];
    const input = asInput(sizes.map((size) => track("u1", { text: "x".repeat(size * 1024) })));
    await sendAll(input, { sink: topic, encode, say });
    expect(topic.batches.map((batch) => batch.length)).toEqual([2, 1, 1, 1]);
  });

  it.each([
    [{ userId: "u", anonymousId: "a", groupId: "g" }, "u"],
    [{ anonymousId: "a", groupId: "g" }, "a"],
    [{ groupId: "g" }, "g"],
    [{}, null],
  ])("takes the key of %j to be %j", async (ids, key) => {
    const topic = createTopic();
    await sendAll(asInput([{ type: "page", ...ids }]), { sink: topic, encode, say });
    expect(topic.batches.flat().map((record) => record.key)).toEqual([key]);
  });

  it("says how far it came where the topic refuses", async () => {
    const input = asInput(Array.from({ length: 700 }, () => track("u1")));
    const sending = sendAll(input, { sink: createTopic(1), encode, say });
    await expect(sending).rejects.toThrow("Cannot write to topic t. Sent for certain: the 500 events before line 501");
  });
});
