import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { Message } from "kafkajs";
import { describe } from "vitest";

import { type Story, asJson, deliveredIds, journey, patient, sum, tracks } from "./story.ts";

const settingsFile = async (
  story: Story,
  text: string,
): Promise<{ path: string; write: (text: string) => Promise<void> }> => {
  const folder = await mkdtemp(join(tmpdir(), "gainstream-settings-"));
  story.onEnd(() => rm(folder, { recursive: true }));
  const path = join(folder, "settings.yaml");
  const write = (next: string): Promise<void> => writeFile(path, next);
  await write(text);
  return { path, write };
};

describe.concurrent("limits", () => {
  /*
   * A broken deployment makes every record undecodable. After ten dead letters in a row the service holds with the
   * reason `flooded`: it stays ready, processes nothing and loses nothing. The operator raises the limit in the
   * settings file, and the service continues without a restart.
   */
  journey("too many dead letters hold the pipeline until the limit is raised", async ({ story, expect }) => {
    const settings = await settingsFile(story, "deadLetterLimit: { consecutive: 10 }");
    const service = await story.start({ SETTINGS_FILE: settings.path });
    const bad = Array.from({ length: 15 }, (_, n) => ({ key: `bad${n}`, value: "{", partition: 0 }));
    await story.produce([
      ...bad,
      { ...tracks("u1", 1, 1)[0], value: tracks("u1", 1, 1)[0]?.value ?? null, partition: 0 },
    ]);
    const warnings = [expect.stringContaining(`100 % are undecodable in topic ${story.source}`)];
    await expect
      .poll(() => service.readiness(), patient)
      .toEqual({ ok: true, reasons: [], holds: ["flooded"], warnings });
    expect(await service.metric("gainstream_hold", { reason: "flooded" })).toBe(1);
    // The limit counts a dead letter before it is written.
    await expect.poll(() => service.metric("gainstream_events_total", { outcome: "dead" }), patient).toBe(10);
    expect(await story.read(story.deadLetters)).toHaveLength(10);
    await settings.write("deadLetterLimit: { consecutive: 0 }");
    await expect.poll(() => service.metric("gainstream_settings_ok"), patient).toBe(0);
    expect((await service.readiness()).holds).toEqual(["flooded"]);
    await settings.write("deadLetterLimit: false");
    await expect.poll(() => deliveredIds(story), patient).toEqual(["u1-1"]);
    expect(await story.read(story.deadLetters)).toHaveLength(15);
    expect(await service.readiness()).toEqual({ ok: true, reasons: [], holds: [] });
    await expect.poll(() => story.committed().then(sum), patient).toBe(16);
  });

  /*
   * One producer sends group events without a groupId; others send valid events to the same partition. At the limit
   * only the broken events wait, in the retry topics, and all others are delivered, also those of the same users. Log,
   * status, metrics and /readyz name the hold. When the operator raises the limit, the broken events become dead
   * letters, once each and without an attempt.
   */
  journey("one producer's broken events wait, all others are delivered", async ({ story, expect }) => {
    const settings = await settingsFile(story, "deadLetterLimit: { scope: cause, consecutive: 10 }");
    const service = await story.start({ SETTINGS_FILE: settings.path, RETRY_DELAYS: "1s,2s" });
    const broken = (from: number, to: number) =>
      Array.from({ length: to - from }, (_, n) =>
        asJson({ type: "group", messageId: `bad-${from + n}`, userId: `bad${from + n}`, traits: {} }),
      );
    const produce = (messages: Message[]) => story.produce(messages.map((message) => ({ ...message, partition: 0 })));
    await produce(broken(0, 12));
    await expect.poll(() => service.metric("gainstream_parked_users"), patient).toBe(2);
    const others = Array.from({ length: 20 }, (_, user) => tracks(`u${user}`, 1, 2)).flat();
    await produce([...broken(12, 15), ...tracks("bad14", 1, 1), ...others]);
    await expect.poll(() => othersDelivered(story), patient).toBe(40);
    await expect.poll(() => story.committed().then(sum), patient).toBe(56);
    const culprit = { topic: story.source, reason: "invalid_event", rule: "group_id_not_defined" };
    const sentence = expect.stringContaining(`100 % are invalid_event (group_id_not_defined) in topic ${story.source}`);
    expect(await service.readiness()).toEqual({ ok: true, reasons: [], holds: ["flooded"], warnings: [sentence] });
    expect(await service.status()).toMatchObject({ deadLetterLimit: [{ ...culprit, percentOfDeadLetters: 100 }] });
    expect(await service.metric("gainstream_dead_letter_limit", { ...culprit, of: "dead_letters" })).toBe(100);
    expect(service.logs.filter(({ hold }) => hold === "flooded")).toMatchObject([
      { level: "warn", msg: "Holding: flooded", error: sentence, culprits: [culprit] },
    ]);
    await expect.poll(() => deliveredIds(story, "bad14"), patient).toEqual(["bad14-1"]);
    expect(await story.read(story.deadLetters)).toHaveLength(10);
    await settings.write("deadLetterLimit: false");
    await expect.poll(() => service.metric("gainstream_parked_users"), patient).toBe(0);
    const letters = await story.read(story.deadLetters);
    expect(new Set(letters.map(({ text }) => text["gainstream-id"])).size).toBe(15);
    expect(letters.map(({ text }) => [text["gainstream-reason"], text["gainstream-attempts"]])).toEqual(
      letters.map(() => ["invalid_event", "0"]),
    );
    expect([letters.length, (await service.readiness()).holds]).toEqual([15, []]);
    expect(story.standin.ledger()).toMatchObject({ distinct: 41, duplicates: 0, inversions: 0 });
  });

  /*
   * One user has far more events than can be delivered one after the other, and all of them are before the other users'
   * events in one partition. The events of the hot user move to a retry topic and wait there. The other users are
   * delivered long before, and the hot user's order is kept.
   */
  journey("a hot user does not delay other users", { timeout: 90_000 }, async ({ story, expect }) => {
    const hot = 4_500;
    story.standin.faults.add({ kind: "latency", ms: 4 });
    const service = await story.start({ RETRY_DELAYS: "3s,20s" });
    const others = Array.from({ length: 50 }, (_, user) => tracks(`u${user}`, 1, 4)).flat();
    await story.produce([...tracks("hot", 1, hot), ...others].map((record) => Object.assign(record, { partition: 0 })));
    await expect.poll(() => story.standin.ledger().distinct, patient).toBeGreaterThan(0);
    await expect.poll(() => othersDelivered(story), patient).toBe(200);
    expect(story.standin.ledger().distinct).toBeLessThan(hot / 2);
    await expect.poll(() => story.standin.ledger().distinct, { timeout: 60_000, interval: 200 }).toBe(hot + 200);
    expect(story.standin.ledger()).toMatchObject({ duplicates: 0, inversions: 0 });
    expect(await story.read(story.deadLetters)).toEqual([]);
    await expect.poll(() => service.metric("gainstream_parked_users"), patient).toBe(0);
  });
});

/** Counts by message id: the stand-in remembers only its newest calls. */
const othersDelivered = ({ standin }: Story): number =>
  [...standin.ledger().messageIds].filter((id) => id.startsWith("u")).length;
