import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { Type } from "avsc";
import { describe, inject } from "vitest";

import { createEvents, encodeEvent, frame } from "../../local/events.ts";
import { registerSchema } from "../../src/decoding/registry/register.ts";
import { createTopics } from "./cluster.ts";
import { asJson, deliveredIds, journey, patient, recordCalls, sum, textOf, trackEvent, tracks } from "./story.ts";

describe.concurrent("delivered", () => {
  /*
   * An app sends events of every type as Avro with a schema id. Each identify, track and group event arrives at
   * Gainsight in one call, whose body is the event. page, screen and alias are skipped and counted. In the end
   * everything is committed, and no event was retried or dead-lettered.
   */
  journey(
    "identify, track and group in Avro arrive unchanged, and other types are skipped and counted",
    async ({ story, expect }) => {
      const schema = readFileSync("schemas/segment-event.avsc", "utf8");
      const type = Type.forSchema(JSON.parse(schema));
      const { id } = await registerSchema({ url: inject("registryUrl"), subject: `${story.source}-value`, schema });
      const events = [...createEvents({ users: 20, count: 300, seed: 7, startAt: Date.parse("2026-01-31T12:00:00Z") })];
      const useful = events.filter((event) => ["identify", "track", "group"].includes(textOf(event, "type")));
      await story.produce(
        events.map((event) => ({ key: textOf(event, "userId"), value: frame(id, encodeEvent(event, type)) })),
      );
      const { url, calls } = await recordCalls(story);
      const service = await story.start({ GAINSIGHT_URL: url, INPUT_FORMAT: "registry" });
      await expect.poll(() => story.standin.ledger().distinct, patient).toBe(useful.length);

      const byId = new Map(calls.map(({ body }) => [(body as { messageId: string }).messageId, body]));
      for (const event of useful) expect(byId.get(textOf(event, "messageId"))).toEqual(event);
      expect(calls.map(({ headers }) => headers["content-type"])).toEqual(calls.map(() => "application/json"));
      await expect.poll(async () => sum(await story.committed()), patient).toBe(300);
      for (const kind of ["identify", "track", "group"]) {
        const sent = events.filter((event) => event["type"] === kind).length;
        expect(await service.metric("gainstream_events_total", { type: kind, outcome: "delivered" })).toBe(sent);
        expect(await service.metric("gainstream_calls_total", { call: kind, status: "200" })).toBe(sent);
      }
      const skipped = { outcome: "skipped", reason: "unsupported_event_type" };
      expect(await service.metric("gainstream_events_total", skipped)).toBe(300 - useful.length);
      expect(story.standin.ledger()).toMatchObject({ duplicates: 0, inversions: 0 });
      expect(await service.stop()).toBe(0);
      expect(await story.read(story.retryTopic("1s"))).toEqual([]);
      expect(await story.read(story.deadLetters)).toEqual([]);
      expect(service.logs.filter(({ level }) => level !== "info")).toEqual([]);
    },
  );

  /*
   * The settings file names two track events. Those are delivered, however they are spelled; all other track events are
   * skipped and counted. The list does not apply to identify. Everything is committed.
   */
  journey("the allow-list lets named track events through, and every identify", async ({ story, expect }) => {
    const folder = await mkdtemp(join(tmpdir(), "journey-"));
    story.onEnd(() => rm(folder, { recursive: true }));
    const settings = join(folder, "settings.yaml");
    await writeFile(settings, "events: [Order Completed, Signed Up]\n");
    await story.produce([
      asJson(trackEvent("u1", 1)),
      asJson(trackEvent("u1", 2, { event: "signed_up" })),
      asJson(trackEvent("u1", 3, { event: "Page Scrolled" })),
      asJson(trackEvent("u1", 4, { type: "identify", traits: { plan: "pro" } })),
    ]);
    const service = await story.start({ SETTINGS_FILE: settings });
    await expect.poll(async () => sum(await story.committed()), patient).toBe(4);
    expect(deliveredIds(story)).toEqual(["u1-1", "u1-2", "u1-4"]);
    const filtered = { type: "track", outcome: "skipped", reason: "filtered_by_allow_list" };
    expect(await service.metric("gainstream_events_total", filtered)).toBe(1);
  });

  /*
   * One user has events in two source topics. An event from the first topic fails and waits in a retry topic; the
   * user's event from the second topic waits behind it. When the retry delay is over, both are delivered in order.
   */
  journey("a user with events in two source topics has one order", async ({ story, expect }) => {
    const other = `${story.source}-2`;
    await createTopics(story.kafka, [{ topic: other, numPartitions: 3 }]);
    story.standin.faults.add({ kind: "status", status: 500, count: 3, match: { messageId: "u1-1" } });
    const service = await story.start({ SOURCE_TOPICS: `${story.source},${other}` });
    await story.produce(tracks("u1", 1, 1));
    await expect.poll(() => service.metric("gainstream_parked_users"), patient).toBe(1);
    await story.produce([...tracks("u1", 2, 2), ...tracks("u2", 1, 1)], other);
    await expect.poll(() => deliveredIds(story, "u2"), patient).toEqual(["u2-1"]);
    await expect.poll(() => deliveredIds(story, "u1"), patient).toEqual(["u1-1", "u1-2", "u1-3"]);
    const waited = await story.read(story.retryTopic("1s"));
    expect(waited.map(({ text }) => [text["gainstream-topic"], text["gainstream-reason"]])).toEqual([
      [story.source, "server_error"],
      [other, "parked"],
      [other, "parked"],
    ]);
  });
});
