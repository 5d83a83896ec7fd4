import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

import { Kafka, logLevel } from "kafkajs";
import { afterAll, beforeAll, expect, inject, test } from "vitest";

import { startCluster } from "../../local/cluster.ts";
import type { Cluster } from "../../local/cluster.ts";
import { startRegistry } from "../../local/registry.ts";
import { isRunning } from "../local/running.ts";
import { createTopics, uniqueName } from "./cluster.ts";

/*
 * The broker and the registry that the other journeys use. Both can fail like real ones and restart with their data,
 * several clusters can run on one machine, and nothing is left behind.
 */
let cluster: Cluster;
beforeAll(async () => {
  cluster = await startCluster();
});
afterAll(() => cluster.stop());

async function sizeOf(kafka: Kafka, topic: string): Promise<number> {
  const admin = kafka.admin();
  await admin.connect();
  const offsets = await admin.fetchTopicOffsets(topic);
  await admin.disconnect();
  return offsets.reduce((sum, { offset }) => sum + Number(offset), 0);
}

test("a second cluster runs next to the shared one", () => {
  expect(cluster.brokers).not.toBe(inject("brokers"));
  expect(cluster.registryUrl).not.toBe(inject("registryUrl"));
});

test("a broker that was killed with -9 restarts on its port with its records", async () => {
  const kafka = new Kafka({ brokers: [cluster.brokers], logLevel: logLevel.NOTHING });
  const topic = uniqueName("kept");
  await createTopics(kafka, [{ topic, numPartitions: 2 }]);
  const producer = kafka.producer();
  await producer.connect();
  await producer.send({
    topic,
    messages: [
      { key: "u1", value: "one" },
      { key: "u2", value: "two" },
    ],
  });
  await producer.disconnect();
  const before = cluster.broker(1).pid;
  await cluster.broker(1).kill();
  expect(cluster.broker(1).pid).toBeUndefined();
  await cluster.broker(1).start();
  expect(cluster.broker(1).pid).not.toBe(before);
  expect(await sizeOf(kafka, topic)).toBe(2);
});

test("a stopped registry does not answer, and has its schemas after a restart", async () => {
  const registry = await startRegistry();
  try {
    const versions = `${registry.url}/subjects/kept-value/versions`;
    const headers = { "content-type": "application/vnd.schemaregistry.v1+json" };
    const made = await fetch(versions, { method: "POST", headers, body: JSON.stringify({ schema: '"string"' }) });
    expect(await made.json()).toMatchObject({ id: 1 });
    await registry.server.stop();
    await expect(fetch(versions)).rejects.toThrow("fetch failed");
    await registry.server.start();
    expect(await (await fetch(versions)).json()).toEqual([1]);
  } finally {
    await registry.stop();
  }
});

test("brokers and registry end within seconds if the process that started them is killed with -9", async () => {
  const script = `
    const { startCluster } = await import(${JSON.stringify(new URL("../../local/cluster.ts", import.meta.url).href)});
    const cluster = await startCluster();
    console.log(JSON.stringify([cluster.broker(1).pid, cluster.registry.pid]));`;
  const parent = spawn(process.execPath, ["--input-type=module", "-e", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line] = await once(createInterface(parent.stdout), "line");
  const pids: number[] = JSON.parse(line);
  expect(pids.map(isRunning)).toEqual([true, true]);
  parent.kill("SIGKILL");
  await expect.poll(() => pids.map(isRunning), { timeout: 5000 }).toEqual([false, false]);
});
