import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { describe } from "vitest";

import { type Story, deliveredIds, journey, patient, sum, tracks } from "./story.ts";

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

describe.concurrent("crowds", () => {
  /*
   * A broken deploy makes every record unreadable. After ten dead letters in a row the stream holds `flooded`: still ready,
   * nothing moves, nothing is lost. The operator looks, raises the limit in the settings file, and it goes on without a restart.
   */
  journey("a flood of bad records holds the stream until the limit is raised", async ({ story, expect }) => {
    const settings = await settingsFile(story, "deadLetterLimit: { consecutive: 10 }");
    const service = await story.start({ SETTINGS_FILE: settings.path });
    const bad = Array.from({ length: 15 }, (_, n) => ({ key: `bad${n}`, value: "{", partition: 0 }));
    await story.produce([
      ...bad,
      { ...tracks("u1", 1, 1)[0], value: tracks("u1", 1, 1)[0]?.value ?? null, partition: 0 },
    ]);
    await expect.poll(() => service.readiness(), patient).toEqual({ ok: true, reasons: [], holds: ["flooded"] });
    expect(await service.metric("gainstream_hold", { reason: "flooded" })).toBe(1);
    expect(await story.read(story.deadLetters)).toHaveLength(10);
    expect(await service.metric("gainstream_events_total", { outcome: "dead" })).toBe(10);
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
   * One user makes far more events than can be delivered one after the other, all in front of the others' in one partition. The
   * hot user makes way and waits in a retry tier; the others are delivered long before, and the hot user's order is kept.
   */
  journey("a hot user stalls nobody", { timeout: 90_000 }, async ({ story, expect }) => {
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

/** Told by message ids: the newest calls alone would not do. */
const othersDelivered = ({ standin }: Story): number =>
  [...standin.ledger().messageIds].filter((id) => id.startsWith("u")).length;
