import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";

import { describe, inject } from "vitest";

import type { JsonObject } from "../../src/core/json/json.ts";
import { programEnv } from "../program-env.ts";
import { createTopics } from "./cluster.ts";
import { type Story, deliveredIds, journey, patient, recordCalls, sum, trackEvent } from "./story.ts";

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Runs `gainstream send` with exactly this environment. */
const send = async (
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  stdin = "",
): Promise<Ended> => {
  const child = spawn(process.execPath, ["src/main.ts", "send", ...args], {
    env: { ...programEnv, ...env },
  });
  child.stdin.end(stdin);
  const [out, err, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "exit")]);
  return { code: code as number | null, out, err };
};

const jsonLines = (events: readonly JsonObject[]): string => events.map((event) => JSON.stringify(event)).join("\n");

const inFolder = async ({ onEnd }: Pick<Story, "onEnd">, content: string): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), "gainstream-send-"));
  onEnd(() => rm(folder, { recursive: true }));
  const file = join(folder, "events.jsonl");
  await writeFile(file, content);
  return file;
};

const envOf = ({ source }: Story) => ({ KAFKA_BROKERS: inject("brokers"), SOURCE_TOPICS: source });

describe.concurrent("send", () => {
  /*
   * A first-time user sends the same kind of file in every format, once with a registry that has no schema of the topic
   * yet. The service reads every format and delivers each event unchanged.
   */
  journey("a file of events in any format arrives at Gainsight unchanged", async ({ story, expect }) => {
    const { url, calls } = await recordCalls(story);
    const service = await story.start({ GAINSIGHT_URL: url });
    const properties = {
      total: 27.5,
      seats: 3,
      coupon: null,
      products: [{ sku: "a-1", tags: { deep: { deeper: [1] } } }],
    };
    const eventsOf = (user: string) =>
      Array.from({ length: 5 }, (_, index) => trackEvent(user, index + 1, { properties }));
    const env = envOf(story);
    const registry = { ...env, SCHEMA_REGISTRY_URL: inject("registryUrl") };
    const first = await send([await inFolder(story, jsonLines(eventsOf("u1")))], registry);
    expect(first).toMatchObject({ code: 0, err: expect.stringContaining(`under ${story.source}-value, id `) });
    expect(first.out).toMatch(
      new RegExp(`^Sent 5 events to topic ${story.source} \\(registry\\), partitions [0-2]\n$`),
    );
    const others = await Promise.all([
      send(["-"], { ...registry, INPUT_FORMAT: "registry" }, jsonLines(eventsOf("u2"))),
      send(["-"], { ...env, INPUT_FORMAT: "avro" }, JSON.stringify(eventsOf("u3"), undefined, 2)),
      send(["-"], { ...env, KAFKA_COMPRESSION: "lz4" }, jsonLines(eventsOf("u4"))),
    ]);
    expect(others.map(({ code, err }) => [code, err])).toEqual([
      [0, ""],
      [0, ""],
      [0, ""],
    ]);
    await expect.poll(() => story.standin.ledger().distinct, patient).toBe(20);
    const bodies = new Map(calls.map(({ body }) => [(body as { messageId: string }).messageId, body]));
    for (const event of ["u1", "u2", "u3", "u4"].flatMap(eventsOf))
      expect(bodies.get(event["messageId"] as string)).toEqual(event);
    for (const user of ["u1", "u2", "u3", "u4"])
      expect(deliveredIds(story, user)).toEqual([1, 2, 3, 4, 5].map((n) => `${user}-${n}`));
    expect(story.standin.ledger()).toMatchObject({ duplicates: 0, inversions: 0 });
    await expect.poll(async () => sum(await story.committed()), patient).toBe(20);
    expect(await service.metric("gainstream_events_total", { outcome: "delivered" })).toBe(20);
  });

  /*
   * One event in two files breaks a rule. Nothing of either file is sent, and the command names the file, the line and
   * the rule. With --invalid the event is sent, and becomes a dead letter with the same rule.
   */
  journey("an invalid event is rejected, or goes to the dead-letter topic on request", async ({ story, expect }) => {
    await story.start();
    const file = await inFolder(story, jsonLines([trackEvent("u1", 1), trackEvent("", 2)]));
    const good = await inFolder(story, jsonLines([trackEvent("u2", 1)]));
    const refused = await send([good, file], envOf(story));
    const err = expect.stringContaining(`${file}, line 2: no_user_anon_id: `);
    expect(refused).toMatchObject({ code: 1, out: "", err });
    expect(await story.read(story.source)).toEqual([]);
    expect(await send([good, file, "--invalid"], envOf(story))).toMatchObject({ code: 0 });
    await expect.poll(() => new Set(deliveredIds(story)), patient).toEqual(new Set(["u1-1", "u2-1"]));
    await expect.poll(async () => (await story.read(story.deadLetters)).length, patient).toBe(1);
    const [letter] = await story.read(story.deadLetters);
    expect(letter?.text).toMatchObject({
      "gainstream-reason": "invalid_event",
      "gainstream-error": expect.stringMatching(/^no_user_anon_id: /),
    });
  });

  /*
   * Mistakes at the first try. The command does not create a missing topic but names it. It sends nothing to a topic
   * with another schema. It can send to another topic, and says that the service does not read that one.
   */
  journey("the topic is never created, and never gets events of another schema", async ({ story, expect }) => {
    const event = ["--event", JSON.stringify(trackEvent("u1", 1))];
    const other = `${story.source}-2`;
    const missing = await send([...event, "--topic", other], envOf(story));
    expect(missing).toMatchObject({ code: 1, out: "", err: expect.stringContaining(`--create --topic ${other}`) });
    await createTopics(story.kafka, [{ topic: other, numPartitions: 1 }]);
    const sent = await send([...event, "--topic", other], envOf(story));
    expect(sent).toMatchObject({ code: 0, out: `Sent 1 event to topic ${other} (json), partitions 0\n` });
    expect(sent.err).toContain(`SOURCE_TOPICS is ${story.source}`);
    expect((await story.read(other)).map(({ key, value }) => [key, JSON.parse(value.toString())])).toEqual([
      ["u1", trackEvent("u1", 1)],
    ]);
    const schema = JSON.stringify({ type: "record", name: "Order", fields: [{ name: "id", type: "long" }] });
    await fetch(`${inject("registryUrl")}/subjects/${other}-value/versions`, {
      method: "POST",
      headers: { "content-type": "application/vnd.schemaregistry.v1+json" },
      body: JSON.stringify({ schema }),
    });
    const env = { ...envOf(story), SCHEMA_REGISTRY_URL: inject("registryUrl") };
    const refused = await send([...event, "--topic", other], env);
    expect(refused).toMatchObject({ code: 1, out: "", err: expect.stringContaining("got 'Order', want") });
    expect(await story.read(other)).toHaveLength(1);
  });
});
