import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { describe } from "vitest";

import { type Story, asJson, deliveredIds, journey, patient, trackEvent } from "./story.ts";

/** A settings file of the story's own, with this text at first. */
const settingsFile = async (story: Story, text: string) => {
  const folder = await mkdtemp(join(tmpdir(), "gainstream-journey-"));
  story.onEnd(() => rm(folder, { recursive: true }));
  const path = join(folder, "settings.yaml");
  const write = (next: string): Promise<void> => writeFile(path, next);
  await write(text);
  return { path, write };
};

const produce = (story: Story, n: number, event: string): Promise<void> =>
  story.produce([asJson(trackEvent("u1", n, { event }))]);

describe.concurrent("settings", () => {
  /*
   * The allow-list names one event. An operator adds a second one while the service runs: without a restart it is delivered
   * from then on. What was skipped before stays skipped.
   */
  journey("a changed allow-list is taken up while running", async ({ story, expect }) => {
    const file = await settingsFile(story, "events: [Order Completed]");
    const service = await story.start({ SETTINGS_FILE: file.path });
    await produce(story, 1, "Order Completed");
    await produce(story, 2, "Signed Up");
    await expect.poll(() => service.metric("gainstream_events_total", { outcome: "skipped" }), patient).toBe(1);

    await file.write("events: [Order Completed, Signed Up]");
    await expect
      .poll(() => service.logs, patient)
      .toContainEqual(expect.objectContaining({ level: "info", msg: expect.stringMatching(/settings.*taken up/) }));
    await produce(story, 3, "Signed Up");
    await expect.poll(() => deliveredIds(story), patient).toEqual(["u1-1", "u1-3"]);
    expect(await service.stop()).toBe(0);
  });

  /*
   * The operator makes a mistake in the file of a running service. The service says which, in log, metric and status, and works
   * on with the settings it had; when the mistake is corrected, all three are content.
   */
  journey("a wrong change is refused, and the settings before it stay", async ({ story, expect }) => {
    const file = await settingsFile(story, "events: [Order Completed]");
    const service = await story.start({ SETTINGS_FILE: file.path });
    expect((await service.status()).settings).toMatchObject({ ok: true });

    await file.write("events: Signed Up\ndeadLetterLimit: { percent: 120 }");
    await expect.poll(() => service.metric("gainstream_settings_ok"), patient).toBe(0);
    const problem = expect.stringMatching(
      /^settings.events: got 'Signed Up', want .*; settings.deadLetterLimit.percent: /,
    );
    expect((await service.status()).settings).toMatchObject({ ok: false, problem });
    expect(service.logs.filter(({ level }) => level === "warn")).toMatchObject([{ problem }]);
    expect((await service.readiness()).ok).toBe(true);
    await produce(story, 1, "Order Completed");
    await produce(story, 2, "Signed Up");
    await expect.poll(() => service.metric("gainstream_events_total"), patient).toBe(2);
    expect(deliveredIds(story)).toEqual(["u1-1"]);

    await file.write("events: [Order Completed]");
    await expect.poll(() => service.metric("gainstream_settings_ok"), patient).toBe(1);
    expect((await service.status()).settings).toEqual({ ok: true, since: expect.any(String) });
    expect(await service.stop()).toBe(0);
  });
});
