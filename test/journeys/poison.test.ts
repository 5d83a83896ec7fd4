import { readFileSync } from "node:fs";

import { Type } from "avsc";
import { describe, inject } from "vitest";

import { encodeEvent, frame } from "../../local/events.ts";
import { startRegistry } from "../../local/registry.ts";
import { registerSchema } from "../../src/decoding/registry/register.ts";
import { asJson, deliveredIds, journey, patient, trackEvent } from "./story.ts";

const schema = readFileSync("schemas/segment-event.avsc", "utf8");
const type = Type.forSchema(JSON.parse(schema));
const json = (value: object): Buffer => Buffer.from(JSON.stringify(value));

describe.concurrent("bad records", () => {
  /*
   * Between valid events of one partition there are records that can never be delivered: a header cut short, broken
   * JSON, a track event without its name, an event without a user. Each becomes a dead letter with its bytes, its
   * headers and the reason, in header names that dead-letter viewers know. Delivery continues.
   */
  journey("poison goes to the dead letters unchanged, and delivery continues", async ({ story, expect }) => {
    const poison = [
      { value: Buffer.from([0, 0, 0, 1]), reason: "undecodable", stage: "VALUE_CONVERTER" },
      { value: Buffer.from('{"type":"track","userId":"u1"'), reason: "undecodable", stage: "VALUE_CONVERTER" },
      { value: json({ type: "track", userId: "u1" }), reason: "invalid_event", stage: "TASK_PUT" },
      { value: json({ type: "identify", messageId: "m1" }), reason: "invalid_event", stage: "TASK_PUT" },
    ];
    const trace = Buffer.from([1, 0xff, 0, 2]);
    const records = poison.map(({ value }) => ({ key: "bad", value, headers: { trace }, partition: 1 }));
    const good = { key: "good", partition: 1 };
    const [first, last] = [1, 2].map((n) => JSON.stringify(trackEvent("good", n)));
    await story.produce([{ ...good, value: first ?? "" }, ...records, { ...good, value: last ?? "" }]);
    const service = await story.start();
    await expect.poll(() => deliveredIds(story), patient).toEqual(["good-1", "good-2"]);
    await expect.poll(() => story.committed(), patient).toEqual([0, 6, 0]);

    const letters = await story.read(story.deadLetters);
    const inOrder = letters.toSorted(
      (a, b) => Number(a.text["gainstream-offset"]) - Number(b.text["gainstream-offset"]),
    );
    expect(inOrder.map(({ key, value, text }) => [key, value, text["gainstream-reason"]])).toEqual(
      poison.map(({ value, reason }) => ["bad", value, reason]),
    );
    for (const [index, { headers, text }] of inOrder.entries()) {
      expect(headers["trace"]).toEqual(trace);
      expect(text).toMatchObject({
        "gainstream-id": `${story.source}-1-${index + 1}`,
        "gainstream-topic": story.source,
        "gainstream-partition": "1",
        "gainstream-offset": String(index + 1),
        "gainstream-attempts": "0",
        "gainstream-timestamp": expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
        "__connect.errors.topic": story.source,
        "__connect.errors.partition": "1",
        "__connect.errors.offset": String(index + 1),
        "__connect.errors.stage": poison[index]?.stage,
        "__connect.errors.exception.class.name": poison[index]?.reason,
        "__connect.errors.exception.message": text["gainstream-error"],
      });
    }
    const lines = service.logs.filter(({ msg }) => msg === "Dead-lettered");
    expect(
      lines.map(({ level, topic, partition, offset, reason }) => [level, topic, partition, offset, reason]),
    ).toEqual(
      expect.arrayContaining(poison.map(({ reason }, index) => ["warn", story.source, 1, String(index + 1), reason])),
    );
    expect(lines).toHaveLength(4);
    expect(await service.metric("gainstream_events_total", { outcome: "dead", reason: "undecodable" })).toBe(2);
    expect(await service.metric("gainstream_events_total", { outcome: "dead", reason: "invalid_event" })).toBe(2);
  });

  /*
   * The registry does not know the schema of a record; perhaps it is not registered yet. The record waits once in the
   * first retry topic, with later records of its key behind it. It becomes a dead letter when the registry still does
   * not know the schema. Other users are not delayed.
   */
  journey("a record with an unknown schema is retried once", async ({ story, expect }) => {
    const value = frame(2 ** 31 - 1, Buffer.from([2]));
    await story.produce([{ key: "u1", value }, asJson(trackEvent("u1", 1)), asJson(trackEvent("u2", 1))]);
    const service = await story.start();
    await expect.poll(() => deliveredIds(story), patient).toEqual(["u2-1", "u1-1"]);
    // If the machine stalls for longer than the session, the instance rejoins and reads the record again: that is allowed.
    const idsOf = async () => (await story.read(story.deadLetters)).map(({ text }) => text["gainstream-id"]);
    const id = expect.stringContaining(story.source);
    await expect.poll(async () => [...new Set(await idsOf())], patient).toEqual([id]);
    expect(await service.metric("gainstream_events_total", { outcome: "dead" })).toBeGreaterThan(0);
    const [waited, behind, ...more] = await story.read(story.retryTopic("1s"));
    expect(waited).toMatchObject({ key: "u1", value, text: { "gainstream-reason": "unknown_schema" } });
    expect(behind).toMatchObject({ key: "u1", text: { "gainstream-reason": "parked", "gainstream-attempts": "0" } });
    const [letter] = await story.read(story.deadLetters);
    expect(letter).toMatchObject({ key: "u1", value, text: { "gainstream-reason": "unknown_schema" } });
    expect([more, await story.read(story.retryTopic("3s"))]).toEqual([[], []]);
    expect(await service.metric("gainstream_hold", { reason: "registry_down" })).toBe(0);
  });

  /*
   * A schema is registered a moment after its first event was sent. The event waits once in the first retry topic, is
   * read again and delivered: a race between producer and registry makes no dead letter.
   */
  journey("a late schema is found at the retry", async ({ story, expect }) => {
    const registry = await startRegistry();
    story.onEnd(() => registry.stop());
    await story.produce([{ key: "u1", value: frame(1, encodeEvent(trackEvent("u1", 1), type)) }]);
    const service = await story.start({ SCHEMA_REGISTRY_URL: registry.url, RETRY_DELAYS: "5s" });
    await expect.poll(() => service.logs.filter(({ reason }) => reason === "unknown_schema"), patient).toHaveLength(1);
    const { id } = await registerSchema({ url: registry.url, subject: "late-value", schema });
    expect(id).toBe(1);
    await expect.poll(() => deliveredIds(story), patient).toEqual(["u1-1"]);
    expect(await story.read(story.deadLetters)).toEqual([]);
  });

  /*
   * The registry is down before the first event arrives. The service stays ready, reports the hold and waits; nothing
   * is written to the retry topics or the dead-letter topic. When the registry is back, everything is delivered.
   */
  journey("a registry that is down is not poison", async ({ story, expect }) => {
    const registry = await startRegistry();
    story.onEnd(() => registry.stop());
    const { id } = await registerSchema({ url: registry.url, subject: "down-value", schema });
    await registry.server.stop();
    const service = await story.start({ SCHEMA_REGISTRY_URL: registry.url });
    const events = [1, 2, 3].map((n) => trackEvent("u1", n));
    await story.produce(events.map((event) => ({ key: "u1", value: frame(id, encodeEvent(event, type)) })));
    await expect.poll(() => service.readiness(), patient).toMatchObject({ ok: true, holds: ["registry_down"] });
    expect(await service.metric("gainstream_hold", { reason: "registry_down" })).toBe(1);
    expect(service.logs).toContainEqual(expect.objectContaining({ level: "warn", hold: "registry_down" }));
    expect(await service.metric("gainstream_lag", { topic: story.source })).toBe(3);
    await registry.server.start();
    await expect.poll(() => deliveredIds(story), patient).toEqual(["u1-1", "u1-2", "u1-3"]);
    expect(await service.readiness()).toMatchObject({ ok: true, holds: [] });
    expect(await service.metric("gainstream_hold", { reason: "registry_down" })).toBe(0);
    expect(await story.read(story.retryTopic("1s"))).toEqual([]);
    expect(await story.read(story.deadLetters)).toEqual([]);
    expect(await service.stop()).toBe(0);
    expect(Math.max(...(await story.committed()))).toBe(3);
  });
});

describe.concurrent("bad records, without a registry's header", () => {
  /*
   * A producer writes Avro without a header. The service decodes it with its schema file. A record that no schema can
   * read becomes a dead letter.
   */
  journey("bare Avro is read by the schema file", async ({ story, expect }) => {
    const bad = Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff, 1]);
    const value = encodeEvent(trackEvent("u1", 1), type);
    await story.produce([
      { key: "u1", value: bad },
      { key: "u1", value },
    ]);
    await story.start({ INPUT_FORMAT: "avro", SCHEMA_REGISTRY_URL: inject("registryUrl") });
    await expect.poll(() => deliveredIds(story), patient).toEqual(["u1-1"]);
    await expect
      .poll(async () => (await story.read(story.deadLetters)).map((letter) => letter.value), patient)
      .toEqual([bad]);
  });
});
