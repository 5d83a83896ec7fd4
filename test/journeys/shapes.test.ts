import { gzipSync } from "node:zlib";

import type { Message } from "kafkajs";
import { describe } from "vitest";

import type { JsonObject } from "../../src/core/json/json.ts";
import { createTopics } from "./cluster.ts";
import { asJson, deliveredIds, journey, patient, trackEvent, tracks } from "./story.ts";

const asList = (...events: JsonObject[]): Message => ({ key: "list", value: JSON.stringify(events) });

describe.concurrent("shapes", () => {
  /*
   * One record has four events of three users, and the first event fails for a while. It waits in a retry topic with
   * its user's next event behind it, each in a copy of the whole record with the index of its event. The other events
   * are delivered.
   */
  journey("the events of a list are delivered separately, each user's in order", async ({ story, expect }) => {
    story.standin.faults.add({ kind: "status", status: 500, count: 3, match: { messageId: "u1-1" } });
    const service = await story.start();
    const record = asList(trackEvent("u1", 1), trackEvent("u2", 1), trackEvent("u1", 2), trackEvent("u3", 1));
    await story.produce([record]);
    await expect.poll(() => new Set(deliveredIds(story)), patient).toEqual(new Set(["u1-1", "u1-2", "u2-1", "u3-1"]));
    expect(deliveredIds(story, "u1")).toEqual(["u1-1", "u1-2"]);
    const waited = await story.read(story.retryTopic("1s"));
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
   * While one event of a list still fails, the service stops gracefully and starts again. The other events of the list
   * and a later event of one of their users are already delivered. Nothing is delivered twice or out of order.
   */
  journey("a partly delivered list survives a restart", async ({ story, expect }) => {
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
   * In a list of three events, one breaks a Segment rule and Gainsight rejects another. Each of the two gets its own
   * dead letter, with the unchanged bytes of the whole record and the index of the event.
   */
  journey("a dead event of a list becomes a dead letter with its whole record", async ({ story, expect }) => {
    story.standin.faults.add({ kind: "status", status: 400, match: { messageId: "u2-1" } });
    await story.start();
    const record = asList({ type: "track", userId: "u1" }, trackEvent("u2", 1), trackEvent("u3", 1));
    await story.produce([record]);
    await expect.poll(() => deliveredIds(story), patient).toEqual(["u3-1"]);
    await expect.poll(async () => (await story.read(story.deadLetters)).length, patient).toBe(2);
    const letters = await story.read(story.deadLetters);
    const found = letters.map(({ text }) => `${text["gainstream-index"]} ${text["gainstream-reason"]}`);
    expect(new Set(found)).toEqual(new Set(["0 invalid_event", "1 rejected"]));
    expect(letters.map(({ value }) => String(value))).toEqual([record.value, record.value]);
    await expect.poll(() => story.committed(), patient).toContain(1);
  });

  /*
   * Four producers wrap their events: Kafka Connect, Segment's batch call, CloudEvents, and JSON in a JSON string. The
   * first event of the batch fails for a while and waits in a retry topic inside its unchanged batch. A fifth producer
   * compresses its values by hand: those become dead letters, and the error says why.
   */
  journey("events are unwrapped, also at each retry", async ({ story, expect }) => {
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
    const [waited] = await story.read(story.retryTopic("1s"));
    expect([waited?.text["gainstream-index"], String(waited?.value)]).toEqual(["0", wrapped[0]]);
    const [letter] = await story.read(story.deadLetters);
    expect(letter?.text["gainstream-error"]).toContain("got gzip bytes");
    expect(letter?.value).toEqual(wrapped.at(-1));
    await expect.poll(() => story.committed(), patient).toContain(5);
    expect(await service.metric("gainstream_repairs_total", { repair: "batch" })).toBe(2);
    expect(story.standin.ledger()).toMatchObject({ distinct: 5, duplicates: 0, inversions: 0 });
  });

  /*
   * A producer sends the same three events twice. Gainsight gets each once; the second of each is counted as a
   * duplicate.
   */
  journey("an event that was sent twice is delivered once", async ({ story, expect }) => {
    const service = await story.start();
    await story.produce([...tracks("u1", 1, 3), ...tracks("u1", 1, 3)]);
    await expect.poll(() => service.metric("gainstream_events_total", { reason: "duplicate" }), patient).toBe(3);
    expect(deliveredIds(story)).toEqual(["u1-1", "u1-2", "u1-3"]);
    expect(await service.metric("gainstream_events_total", { outcome: "delivered" })).toBe(3);
  });

  /*
   * Each type of event has its own topic. One service reads them all, and events of a user in the same topic keep their
   * order.
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
