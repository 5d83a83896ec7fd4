import { describe } from "vitest";

import { nullHeader } from "../../src/core/outcome/failure-headers.ts";
import { patchNullHeaders } from "../../src/kafka/publish/write-null-headers.ts";
import type { Story } from "./story.ts";
import { asJson, deliveredIds, journey, patient, textOf, trackEvent, tracks } from "./story.ts";

const failFor = ({ standin }: Story, messageId: string, count: number): void => {
  standin.faults.add({ kind: "status", status: 500, count, match: { messageId } });
};

const pasts = async (story: Story, delay: string): Promise<string[]> => {
  const waited = await story.read(story.tier(delay));
  return waited.map(({ value, text }) => {
    const id = textOf(JSON.parse(String(value)), "messageId");
    return `${id} ${text["gainstream-reason"]} ${text["gainstream-attempts"]}`;
  });
};

describe.concurrent("retry", () => {
  /*
   * A record's own headers are empty, null, repeated and oddly named. It fails, waits in a retry topic, and is a dead letter in the end: in
   * both topics its headers are those that it came with, null is null and empty is empty.
   */
  journey("a record's own headers stay as they were on the wire", async ({ story, expect }) => {
    patchNullHeaders();
    failFor(story, "u1-1", 3);
    story.standin.faults.add({ kind: "status", status: 400, match: { messageId: "u1-1" } });
    const none = nullHeader as Buffer;
    const headers = { trace: none, empty: "", many: [none, "a", "", "b"], constructor: "c" };
    await story.produce([asJson(trackEvent("u1", 1), headers)]);
    const service = await story.start();
    await expect.poll(async () => (await story.read(story.deadLetters)).length, patient).toBe(1);
    const many = [null, Buffer.from("a"), Buffer.alloc(0), Buffer.from("b")];
    const expected = { trace: null, empty: Buffer.alloc(0), many };
    for (const topic of [story.tier("1s"), story.deadLetters]) {
      const [letter] = await story.read(topic);
      expect(letter?.headers).toMatchObject(expected);
      expect(String(Object.getOwnPropertyDescriptor(letter?.headers, "constructor")?.value)).toMatch(/c$/);
    }
    expect(await service.metric("gainstream_retries_total", { reason: "server_error" })).toBe(1);
  });

  /*
   * One event fails twice and works on the third call of its round. Nobody outside notices anything but two more calls:
   * no tier, no log line about the event, and its user's next event follows.
   */
  journey("a short failure is retried without a retry topic", async ({ story, expect }) => {
    failFor(story, "u1-1", 2);
    const service = await story.start();
    await story.produce(tracks("u1", 1, 2));
    await expect.poll(() => deliveredIds(story), patient).toEqual(["u1-1", "u1-2"]);
    expect(story.standin.stats()).toMatchObject({ total: 4, byStatus: { 200: 2, 500: 2 } });
    expect(service.logs.filter(({ level }) => level !== "info")).toEqual([]);
    expect(await story.read(story.tier("1s"))).toEqual([]);
  });

  /*
   * Gainsight fails for one event of one user, three times in a row. The event waits in the first tier, the user's later
   * events wait behind it in their order and use no attempt, and every other user goes on. When it is due, all follow.
   */
  journey(
    "a failing event waits in a retry topic, later events of its user behind it, and nobody else",
    async ({ story, expect }) => {
      failFor(story, "u1-1", 3);
      const service = await story.start({ RETRY_DELAYS: "3s,6s" });
      await story.produce([...tracks("u1", 1, 1), ...tracks("u2", 1, 3), ...tracks("u3", 1, 3)]);
      await expect.poll(() => service.metric("gainstream_parked_users"), patient).toBe(1);
      await story.produce([...tracks("u1", 2, 2), ...tracks("u2", 4, 2), ...tracks("u3", 4, 2)]);
      const others = (user: string) => [1, 2, 3, 4, 5].map((n) => `${user}-${n}`);
      await expect.poll(() => deliveredIds(story, "u2"), patient).toEqual(others("u2"));
      await expect.poll(() => deliveredIds(story, "u3"), patient).toEqual(others("u3"));
      expect(deliveredIds(story, "u1")).toEqual([]);
      await expect.poll(() => deliveredIds(story, "u1"), patient).toEqual(["u1-1", "u1-2", "u1-3"]);
      await expect.poll(() => service.metric("gainstream_parked_users"), patient).toBe(0);

      expect(await pasts(story, "3s")).toEqual(["u1-1 server_error 1", "u1-2 parked 0", "u1-3 parked 0"]);
      const [first] = await story.read(story.tier("3s"));
      const committed = await story.committed();
      expect(committed[first?.partition ?? -1]).toBeGreaterThanOrEqual(3);
      expect(first?.text).toMatchObject({
        "gainstream-status": "500",
        "gainstream-topic": story.source,
        "gainstream-partition": String(first?.partition),
        "gainstream-first-failed-at": expect.stringMatching(/Z$/),
      });
      const line = {
        level: "warn",
        topic: story.source,
        offset: "0",
        attempts: 1,
        reason: "server_error",
        status: 500,
        tier: 0,
      };
      expect(service.logs.filter(({ reason }) => reason !== undefined)).toEqual([expect.objectContaining(line)]);
      expect(story.standin.ledger()).toMatchObject({ distinct: 13, duplicates: 0, inversions: 0 });
      expect(await service.metric("gainstream_events_total", { outcome: "delivered" })).toBe(13);
      expect(await story.read(story.deadLetters)).toEqual([]);
    },
  );

  /*
   * An event fails in its first tier too, so it waits in the next one, longer than those behind it. They come due before it
   * and follow it to its tier without an attempt, and a newcomer waits where the last of them waits. Nobody overtakes.
   */
  journey("order holds across several retry topics", async ({ story, expect }) => {
    failFor(story, "u1-1", 2);
    const service = await story.start({ QUICK_ATTEMPTS: "1" });
    await story.produce([...tracks("u1", 1, 3), ...tracks("u2", 1, 1)]);
    await expect.poll(() => service.logs.filter(({ tier }) => tier === 1), patient).toHaveLength(1);
    await story.produce(tracks("u1", 4, 1));
    await expect.poll(() => deliveredIds(story, "u1"), patient).toEqual(["u1-1", "u1-2", "u1-3", "u1-4"]);
    expect((await pasts(story, "1s")).slice(0, 3)).toEqual(["u1-1 server_error 1", "u1-2 parked 0", "u1-3 parked 0"]);
    const second = await pasts(story, "3s");
    expect(second[0]).toBe("u1-1 server_error 2");
    expect(second.filter((past) => / parked [^0]/.test(past))).toEqual([]);
    expect(story.standin.ledger()).toMatchObject({ distinct: 5, duplicates: 0, inversions: 0 });
    await expect.poll(() => service.metric("gainstream_parked_users"), patient).toBe(0);
  });

  /*
   * An event fails for good, and its attempts and its age are spent. It rests in the dead-letter topic with its key, its
   * bytes and all its own headers as they came, whatever tiers it has been through. Its user is released.
   */
  journey("an event without attempts left becomes a dead letter as it came", async ({ story, expect }) => {
    failFor(story, "u1-1", 100);
    const headers = { trace: Buffer.from([0, 0xff, 1]), "gainstream-attempts": "lies", twice: ["a", "b"] };
    const record = asJson(trackEvent("u1", 1), headers);
    const service = await story.start({ RETRY_MAX_AGE: "0s", RETRY_MAX_ATTEMPTS: "2", QUICK_ATTEMPTS: "2" });
    await story.produce([record, ...tracks("u1", 2, 1)]);
    await expect.poll(() => deliveredIds(story), patient).toEqual(["u1-2"]);
    const [letter, ...more] = await story.read(story.deadLetters);
    expect(more).toEqual([]);
    expect(letter).toMatchObject({ key: "u1", value: Buffer.from(String(record.value)) });
    expect(letter?.headers).toMatchObject({ trace: headers.trace, twice: ["a", "b"].map((text) => Buffer.from(text)) });
    expect(letter?.text).toMatchObject({
      "gainstream-reason": "retries_exhausted",
      "gainstream-attempts": "2",
      "gainstream-status": "500",
      "gainstream-topic": story.source,
      "gainstream-offset": "0",
      "__connect.errors.exception.class.name": "retries_exhausted",
    });
    const line = { level: "warn", topic: story.source, offset: "0", attempts: 2, reason: "retries_exhausted" };
    expect(service.logs).toContainEqual(expect.objectContaining(line));
    expect(await service.metric("gainstream_events_total", { outcome: "dead", reason: "retries_exhausted" })).toBe(1);
    expect(story.standin.stats().byStatus).toMatchObject({ 500: 4, 200: 1 });
  });

  /*
   * Gainsight refuses one event with 400: that will never work, so it is dead at once and the user's next event follows.
   */
  journey("a rejected event becomes a dead letter at once", async ({ story, expect }) => {
    story.standin.faults.add({ kind: "status", status: 400, match: { messageId: "u1-1" } });
    await story.start();
    await story.produce(tracks("u1", 1, 2));
    await expect.poll(() => deliveredIds(story), patient).toEqual(["u1-2"]);
    const [letter] = await story.read(story.deadLetters);
    expect(letter?.text).toMatchObject({
      "gainstream-reason": "rejected",
      "gainstream-status": "400",
      "gainstream-attempts": "1",
    });
    expect(story.standin.stats().byStatus).toEqual({ 400: 1, 200: 1 });
  });
});
