import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { describe } from "vitest";

import { readConfig } from "../../src/config/env/read-config.ts";
import type { JsonObject } from "../../src/core/json/json.ts";
import { createLog } from "../../src/ops/log.ts";
import { createApp } from "../../src/service/compose.ts";
import { startService } from "../../src/service/lifecycle.ts";
import { judgeOf, markedProperties, markedSettings, mountSettings } from "../mounted-settings.ts";
import { until } from "./service.ts";
import { type Story, asJson, deliveredIds, journey, patient, recordCalls, sum, trackEvent } from "./story.ts";

/** A settings file for this story, with this text at first. */
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
   * The allow-list names one event. An operator adds a second one while the service runs, and sets failOnResultFalse.
   * Both apply from then on, without a restart. Events that were skipped or delivered before stay so.
   */
  journey("a changed allow-list and failOnResultFalse are reloaded while running", async ({ story, expect }) => {
    const file = await settingsFile(story, "events: [Order Completed]");
    const service = await story.start({ SETTINGS_FILE: file.path });
    story.standin.faults.add({ kind: "body-false", errorCode: "GSOBJ_1002", match: { event: "Order Completed" } });
    await produce(story, 1, "Order Completed");
    await produce(story, 2, "Signed Up");
    await expect.poll(() => service.metric("gainstream_events_total", { outcome: "skipped" }), patient).toBe(1);
    await expect.poll(() => service.metric("gainstream_result_false_total", { code: "GSOBJ" }), patient).toBe(1);
    expect(await service.metric("gainstream_events_total", { outcome: "delivered" })).toBe(1);

    await file.write("events: [Order Completed, Signed Up]\nfailOnResultFalse: true");
    await expect
      .poll(() => service.logs, patient)
      .toContainEqual(expect.objectContaining({ level: "info", msg: expect.stringMatching(/^Settings reloaded$/) }));
    await produce(story, 3, "Signed Up");
    await expect.poll(() => deliveredIds(story), patient).toEqual(["u1-1", "u1-3"]);
    await produce(story, 4, "Order Completed");
    await expect.poll(() => service.metric("gainstream_events_total", { reason: "rejected" }), patient).toBe(1);
    const answered = service.logs.find(({ msg }) => msg.includes("result: false"));
    expect(answered).toMatchObject({ level: "warn", count: 1, code: "GSOBJ_1002", status: 200 });
    expect(await service.stop()).toBe(0);
  });

  /*
   * An operator makes a mistake in the settings file of a running service. The service reports it in the log, in a
   * metric and in the status, and keeps the previous settings. When the mistake is corrected, all three report success.
   */
  journey("a wrong change is rejected, and the previous settings stay in effect", async ({ story, expect }) => {
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

  /*
   * An operator starts a paused service. It joins the group, is ready and reports the pause, and processes nothing:
   * neither events to deliver nor events to skip. After the pause it processes everything with the settings of that
   * time.
   */
  journey("a paused service does nothing until it is resumed", async ({ story, expect }) => {
    const file = await settingsFile(story, "paused: true\nevents: [Order Completed]");
    const service = await story.start({ SETTINGS_FILE: file.path });
    await produce(story, 1, "Order Completed");
    await produce(story, 2, "Signed Up");
    const lag = async (): Promise<number> => sum((await service.status()).lag.map((one) => one.lag));
    await expect.poll(lag, patient).toBe(2);
    expect(await service.readiness()).toEqual({ ok: true, reasons: [], holds: ["paused"] });
    expect((await service.status()).holds).toEqual(["paused"]);
    expect(await service.metric("gainstream_hold", { reason: "paused" })).toBe(1);
    expect(await service.metric("gainstream_events_total")).toBe(0);

    await file.write("events: [Signed Up]");
    await expect.poll(() => deliveredIds(story), patient).toEqual(["u1-2"]);
    expect(await service.metric("gainstream_hold", { reason: "paused" })).toBe(0);
    expect(service.logs.filter(({ hold }) => hold === "paused").map(({ msg }) => msg)).toEqual([
      "Holding: paused",
      "Hold ended: paused",
    ]);
    expect(await service.stop()).toBe(0);
    expect(sum((await story.committed()).filter((offset) => offset > 0))).toBe(2);
  });

  /*
   * The settings change a hundred times while events are processed, by an editor and by Kubernetes in turn. Each
   * version leaves two marks in each event. No event has marks of two versions, none is lost, and every change is
   * counted. The service runs in this process, so that it can check the file every 10 ms instead of every second.
   */
  journey("settings changed a hundred times under load", async ({ story, expect }) => {
    const mounted = mountSettings(markedSettings(0));
    story.onEnd(async () => mounted.remove());
    const { url, calls } = await recordCalls(story);
    const env = { ...(await story.env()), SETTINGS_FILE: mounted.file, GAINSIGHT_URL: url, LOG_LEVEL: "fatal" };
    const failures: Error[] = [];
    const onFatal = (error: Error): void => void failures.push(error);
    const app = createApp({ config: readConfig(env), log: createLog({ level: "fatal" }), onFatal, settingsPollMs: 10 });
    const service = await startService(app, onFatal);
    story.onEnd(service.stop);
    await until("the service is ready", async () => ((await fetch(`${service.url}/readyz`)).ok ? true : undefined));

    let produced = 0;
    for (let version = 1; version <= 100; version++) {
      (version % 2 === 0 ? mounted.mount : mounted.rename)(markedSettings(version));
      const isTakenUp = (): boolean => app.settings.current.integrationNames.includes(`v${version}`);
      while (!isTakenUp()) await new Promise((resolve) => void setTimeout(resolve, 5));
      const events = Array.from({ length: 20 }, () => {
        produced++;
        return asJson(trackEvent(`u${produced % 7}`, produced, { properties: markedProperties, context: { version } }));
      });
      await story.produce(events);
    }
    // A call is recorded before it is answered.
    await expect.poll(() => story.standin.ledger().distinct, patient).toBe(produced);

    const events = calls.map(({ body }) => body as JsonObject);
    expect(new Set(events.map(({ messageId }) => messageId)).size).toBe(produced);
    const isJudgedWhole = ({ properties, context }: JsonObject): boolean =>
      judgeOf(properties as JsonObject) >= (context as { readonly version: number }).version;
    expect(events.filter((event) => !isJudgedWhole(event)).map(({ messageId }) => messageId)).toEqual([]);
    expect(new Set(events.map(({ properties }) => judgeOf(properties as JsonObject))).size).toBeGreaterThan(50);
    expect(story.standin.ledger()).toMatchObject({ distinct: produced, duplicates: 0, inversions: 0 });
    await service.stop();
    expect(failures).toEqual([]);
  });
});
