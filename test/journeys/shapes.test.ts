import { gzipSync } from "node:zlib";

import type { Message } from "kafkajs";
import { describe } from "vitest";

import type { JsonObject } from "../../src/core/json/json.ts";
import { createTopics } from "./cluster.ts";
import { asJson, deliveredIds, journey, patient, trackEvent, tracks } from "./story.ts";

const asList = (...events: JsonObject[]): Message => ({ key: "list", value: JSON.stringify(events) });

describe.concurrent("shapes", () => {
  /*
   * One record holds four events of three users, and the first of them fails for a while. It waits in a tier with its user's
   * next event behind it, each in a copy of the whole record that says which of its events it is there for. The others go on.
   */
  journey("the events of a list go their own ways, each user's in order", async ({ story, expect }) => {
    story.standin.faults.add({ kind: "status", status: 500, count: 3, match: { messageId: "u1-1" } });
    const service = await story.start();
    const record = asList(trackEvent("u1", 1), trackEvent("u2", 1), trackEvent("u1", 2), trackEvent("u3", 1));
    await story.produce([record]);
    await expect.poll(() => new Set(deliveredIds(story)), patient).toEqual(new Set(["u1-1", "u1-2", "u2-1", "u3-1"]));
    expect(deliveredIds(story, "u1")).toEqual(["u1-1", "u1-2"]);
    const waited = await story.read(story.tier("1s"));
    const pasts = waited.map(({ text }) => [
      text["gainstream-index"],
      text["gainstream-reason"],
      text["gainstream-id"],
    ]);
    const partition = waited[0]?.partition;
    expect(pasts).toEqual([
      ["0", "server_error", `${story.source}-${partition}-0#0`],
      ["2", "parked", `${story.source}-${partition}-0#2`],
    ]);
    expect(waited.map(({ value }) => String(value))).toEqual([record.value, record.value]);
    await expect.poll(() => story.committed(), patient).toContain(1);
    expect(service.logs).toContainEqual(expect.objectContaining({ reason: "server_error", offset: "0", index: 0 }));
    expect(await service.metric("gainstream_events_total", { outcome: "delivered" })).toBe(4);
    expect(story.standin.ledger()).toMatchObject({ distinct: 4, duplicates: 0, inversions: 0 });
  });

  /*
   * While one event of a list still fails, the service is stopped in order and started again. The others of the list were
   * delivered, and so was a later event of one of their users: nobody gets anything twice, and nothing goes back in time.
   */
  journey("a list that is delivered in part outlives a restart", async ({ story, expect }) => {
    story.standin.faults.add({ kind: "status", status: 500, match: { messageId: "u1-1" } });
    const first = await story.start({ QUICK_ATTEMPTS: "10" });
    const later = { ...asJson(trackEvent("u2", 2)), key: "list" };
    await story.produce([asList(trackEvent("u1", 1), trackEvent("u2", 1)), later]);
    await expect.poll(() => deliveredIds(story), patient).toEqual(["u2-1", "u2-2"]);
    expect(await first.stop()).toBe(0);
    await story.standin.faults.clear();
    await story.start();
    await expect.poll(() => deliveredIds(story), patient).toEqual(["u2-1", "u2-2", "u1-1"]);
    await expect.poll(() => story.committed(), patient).toContain(2);
    expect(story.standin.ledger()).toMatchObject({ distinct: 3, duplicates: 0, inversions: 0 });
  });

  /*
   * Of a list of three one event breaks a rule of Segment's and one is refused by Gainsight. Each of the two has a dead
   * letter of its own, with the bytes of the whole record as they came and the place of the event in it.
   */
  journey("a dead event of a list rests with its whole record", async ({ story, expect }) => {
    story.standin.faults.add({ kind: "status", status: 400, match: { messageId: "u2-1" } });
    await story.start();
    const record = asList({ type: "track", userId: "u1" }, trackEvent("u2", 1), trackEvent("u3", 1));
    await story.produce([record]);
    await expect.poll(() => deliveredIds(story), patient).toEqual(["u3-1"]);
    await expect.poll(async () => (await story.read(story.deadLetters)).length, patient).toBe(2);
    const letters = await story.read(story.deadLetters);
    const told = letters.map(({ text }) => `${text["gainstream-index"]} ${text["gainstream-reason"]}`);
    expect(new Set(told)).toEqual(new Set(["0 invalid_event", "1 rejected"]));
    expect(letters.map(({ value }) => String(value))).toEqual([record.value, record.value]);
    await expect.poll(() => story.committed(), patient).toContain(1);
  });

  /*
   * Four producers put something around their events: Kafka Connect, Segment's batch call, CloudEvents, and JSON in a JSON
   * string. The batch's first event fails for a while, and waits in a retry topic in the batch as it came. A fifth producer
   * compresses its values by hand: they rest among the dead letters, and the error says so.
   */
  journey("events in wrappers are taken out, at each retry alike", async ({ story, expect }) => {
    story.standin.faults.add({ kind: "status", status: 500, count: 3, match: { messageId: "u1-1" } });
    const service = await story.start();
    const batch = { batch: [trackEvent("u1", 1), trackEvent("u2", 1)], writeKey: "k", context: { ip: "127.0.0.1" } };
    const wrapped = [
      JSON.stringify(batch),
      JSON.stringify({ schema: null, payload: trackEvent("u3", 1) }),
      JSON.stringify({ specversion: "1.0", type: "t", source: "/", id: "1", data: trackEvent("u4", 1) }),
      JSON.stringify(JSON.stringify(trackEvent("u5", 1))),
      gzipSync(JSON.stringify(trackEvent("u6", 1))),
    ];
    await story.produce(wrapped.map((value) => ({ key: "wrapped", value })));
    const ids = ["u1-1", "u2-1", "u3-1", "u4-1", "u5-1"];
    await expect.poll(() => new Set(deliveredIds(story)), patient).toEqual(new Set(ids));
    const [waited] = await story.read(story.tier("1s"));
    expect([waited?.text["gainstream-index"], String(waited?.value)]).toEqual(["0", wrapped[0]]);
    const [letter] = await story.read(story.deadLetters);
    expect(letter?.text["gainstream-error"]).toContain("got gzip bytes");
    expect(letter?.value).toEqual(wrapped.at(-1));
    await expect.poll(() => story.committed(), patient).toContain(5);
    expect(await service.metric("gainstream_repairs_total", { repair: "batch" })).toBe(2);
    expect(story.standin.ledger()).toMatchObject({ distinct: 5, duplicates: 0, inversions: 0 });
  });

  /*
   * A producer repeats itself: the same three events come twice. Gainsight sees each once, and the second of each is counted
   * as a duplicate.
   */
  journey("an event that was sent twice is delivered once", async ({ story, expect }) => {
    const service = await story.start();
    await story.produce([...tracks("u1", 1, 3), ...tracks("u1", 1, 3)]);
    await expect.poll(() => service.metric("gainstream_events_total", { reason: "duplicate" }), patient).toBe(3);
    expect(deliveredIds(story)).toEqual(["u1-1", "u1-2", "u1-3"]);
    expect(await service.metric("gainstream_events_total", { outcome: "delivered" })).toBe(3);
  });

  /*
   * There is a topic for each type of call, as some producers like it. One service reads them all, and each user's events
   * that share a topic keep their order.
   */
  journey("several source topics, one for each type", async ({ story, expect }) => {
    const people = `${story.source}-identify`;
    await createTopics(story.kafka, [{ topic: people, numPartitions: 3 }]);
    const service = await story.start({ SOURCE_TOPICS: `${story.source},${people}` });
    await story.produce(tracks("u1", 1, 3));
    const identify = { type: "identify", messageId: "i-1", userId: "u1", traits: { plan: "pro" } };
    await story.produce([asJson(identify)], people);
    await expect.poll(() => deliveredIds(story).length, patient).toBe(4);
    expect(deliveredIds(story).filter((id) => id !== "i-1")).toEqual(["u1-1", "u1-2", "u1-3"]);
    expect(await service.metric("gainstream_events_total", { type: "identify", outcome: "delivered" })).toBe(1);
  });
});
