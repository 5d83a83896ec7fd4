import { spawn } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

const files = "helm/gainstream/files";
const environment = {
  KAFKA_BROKERS: "kafka:9092",
  KAFKA_TLS: "false",
  SOURCE_TOPICS: "web, app",
  RETRY_TOPIC: "retry",
  RETRY_DELAYS: "30S,5m",
  DEAD_LETTER_TOPIC: "dead",
  PARTITIONS: "3",
  REPLICATION_FACTOR: "1",
  SOURCE_RETENTION_MS: "1000",
};

let folder = "";
let servers: readonly Server[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "gainstream-errand-"));
});

afterEach(() => {
  for (const server of servers) server.close();
  servers = [];
  rmSync(folder, { recursive: true });
});

/** Stands in for a proxy or the service: writes down what it is asked. */
const listen = async (asked: string[]): Promise<number> => {
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    response.end("ready\n");
  });
  servers = [...servers, server];
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return typeof address === "object" && address ? address.port : 0;
};

/** Stands in for Kafka's tools: `reachableAt` is the question from which on the brokers answer. */
const writeTools = (reachableAt: number): void => {
  const tool = join(folder, "kafka-topics.sh");
  writeFileSync(
    tool,
    `#!/usr/bin/env bash\necho "$*" >>${folder}/calls\n[ "$(wc -l <${folder}/calls)" -ge ${reachableAt} ]\n`,
  );
  chmodSync(tool, 0o755);
};

interface Ended {
  readonly code: number | null;
  readonly said: string;
}

const run = (command: string, args: readonly string[], env: Readonly<Record<string, string>>): Promise<Ended> =>
  new Promise((resolve) => {
    const child = spawn(command, args, {
      env: { PATH: process.env["PATH"] ?? "", ...env },
      // Bash reads its start-up files where its input is a socket.
      stdio: ["ignore", "pipe", "pipe"],
    });
    let said = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => (said += String(data)));
    child.on("close", (code) => resolve({ code, said }));
  });

const createTopics = (patience: string, proxy: Proxies): Promise<Ended> =>
  run("bash", ["-c", readFileSync(`${files}/create-topics.sh`, "utf8")], {
    ...environment,
    KAFKA_TOOLS: folder,
    SCRATCH: folder,
    PROXY_REQUESTS: proxy.requests,
    PATIENCE_SECONDS: patience,
    PAUSE_SECONDS: "0.01",
  });

const askIfReady = (port: number, proxy: Proxies): Promise<Ended> =>
  run("node", ["--input-type=module", "--eval", readFileSync(`${files}/test-ready.mjs`, "utf8")], {
    URL: `http://127.0.0.1:${port}/readyz`,
    PROXY_REQUESTS: proxy.requests,
  });

const topicsMade = (): string[] =>
  readFileSync(join(folder, "calls"), "utf8")
    .split("\n")
    .flatMap((line) => /--topic (\S+)/.exec(line)?.[1] ?? []);

interface Proxies {
  readonly asked: readonly string[];
  /** As the scripts take them, which have the ports of Istio and Linkerd by themselves. */
  readonly requests: string;
}

const startProxies = async (): Promise<Proxies> => {
  const asked: string[] = [];
  return { asked, requests: `${await listen(asked)}/quitquitquit ${await listen(asked)}/shutdown` };
};

const noProxies = async (): Promise<Proxies> => {
  const { asked, requests } = await startProxies();
  for (const server of servers) server.close();
  servers = [];
  return { asked, requests };
};

const dismissals = ["POST /quitquitquit", "POST /shutdown"];

test("the topics Job waits for brokers that cannot be reached yet, makes the topics, and dismisses the mesh's proxy", async () => {
  writeTools(3);
  const proxy = await startProxies();
  expect(await createTopics("20", proxy)).toMatchObject({ code: 0 });
  expect(topicsMade()).toEqual(["web", "app", "retry-30s", "retry-5m", "dead"]);
  expect(proxy.asked.toSorted()).toEqual(dismissals);
});

test("the topics Job that cannot reach the brokers says so, makes nothing, and dismisses the mesh's proxy as well", async () => {
  writeTools(1_000_000);
  const proxy = await startProxies();
  const { code, said } = await createTopics("0", proxy);
  expect(code).toBe(1);
  expect(said).toContain("Cannot reach Kafka at kafka:9092");
  expect(topicsMade()).toEqual([]);
  expect(proxy.asked.toSorted()).toEqual(dismissals);
});

test("the topics Job ends well without a mesh", async () => {
  writeTools(1);
  expect(await createTopics("20", await noProxies())).toEqual({ code: 0, said: "" });
});

test("the pod of helm test dismisses the mesh's proxy", async () => {
  const proxy = await startProxies();
  const port = await listen([]);
  expect(await askIfReady(port, proxy)).toEqual({ code: 0, said: "ready\n\n" });
  expect(proxy.asked.toSorted()).toEqual(dismissals);
});

test("the pod of helm test ends well without a mesh", async () => {
  const proxy = await noProxies();
  const port = await listen([]);
  expect(await askIfReady(port, proxy)).toMatchObject({ code: 0 });
});

test.each(["create-topics.sh", "test-ready.mjs"])("%s knows where Istio and Linkerd take such a wish", (file) => {
  expect(readFileSync(`${files}/${file}`, "utf8")).toContain("15020/quitquitquit 4191/shutdown");
});
