import { describe } from "vitest";

import { nullHeader } from "../../src/core/outcome/failure-headers.ts";
import { patchNullHeaders } from "../../src/kafka/publish/write-null-headers.ts";
import type { Story } from "./story.ts";
import { asJson, deliveredIds, journey, patient, textOf, trackEvent, tracks } from "./story.ts";

const failFor = ({ standin }: Story, messageId: string, count: number): void => {
  standin.faults.add({ kind: "status", status: 500, count, match: { messageId } });
};

const pasts = async (story: Story, delay: string): Promise<string[]> => {
  const waited = await story.read(story.retryTopic(delay));
  return waited.map(({ value, text }) => {
    const id = textOf(JSON.parse(String(value)), "messageId");
    return `${id} ${text["gainstream-reason"]} ${text["gainstream-attempts"]}`;
  });
};

describe.concurrent("retry", () => {
  /*
   * A record's own headers are empty, null, repeated and oddly named. The record fails, waits in a retry topic and
   * becomes a dead letter. In both topics its own headers are unchanged: null is null and empty is empty.
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
    for (const topic of [story.retryTopic("1s"), story.deadLetters]) {
      const [letter] = await story.read(topic);
      expect(letter?.headers).toMatchObject(expected);
      expect(String(Object.getOwnPropertyDescriptor(letter?.headers, "constructor")?.value)).toMatch(/c$/);
    }
    expect(await service.metric("gainstream_retries_total", { reason: "server_error" })).toBe(1);
  });

  /*
   * One event fails twice and succeeds at its third quick attempt. There are two more calls, but no retry record and no
   * log line about the event, and the user's next event follows.
   */
  journey("a short failure is retried without a retry topic", async ({ story, expect }) => {
    failFor(story, "u1-1", 2);
    const service = await story.start();
    await story.produce(tracks("u1", 1, 2));
    await expect.poll(() => deliveredIds(story), patient).toEqual(["u1-1", "u1-2"]);
    expect(story.standin.stats()).toMatchObject({ total: 4, byStatus: { 200: 2, 500: 2 } });
    expect(service.logs.filter(({ level }) => level !== "info")).toEqual([]);
    expect(await story.read(story.retryTopic("1s"))).toEqual([]);
  });

  /*
   * Gainsight fails three times in a row for one event of one user. The event waits in the first retry topic. The
   * user's later events wait behind it in order and use no attempt, and all other users continue. After the delay all
   * are delivered.
   */
  journey(
    "a failing event waits in a retry topic, with only later events of its user behind it",
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
      const [first] = await story.read(story.retryTopic("3s"));
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
   * An event fails again in its first retry topic, so it waits in the second, longer than the events behind it. When
   * their delay is over, they follow it to the second topic without an attempt, and a new event of the user waits
   * behind the last of them. No event overtakes another.
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
   * An event always fails until its attempts and its age are used up. The dead letter has the key, the bytes and the
   * original headers of the record, whatever retry topics it has passed. Then its user is released.
   */
  journey("an event without attempts left becomes an unchanged dead letter", async ({ story, expect }) => {
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
   * Gainsight rejects one event with 400, which no retry can change. The event becomes a dead letter at once, and the
   * user's next event follows.
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
