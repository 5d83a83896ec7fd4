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

/** A server instead of a proxy or the service: records its requests. */
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

/** A script instead of Kafka's tools: the brokers answer from call number `reachableAt` on. */
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
  readonly output: string;
}

const run = (command: string, args: readonly string[], env: Readonly<Record<string, string>>): Promise<Ended> =>
  new Promise((resolve) => {
    const child = spawn(command, args, {
      env: { PATH: process.env["PATH"] ?? "", ...env },
      // Bash reads its start-up files if its input is a socket.
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => (output += String(data)));
    child.on("close", (code) => resolve({ code, output }));
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

const createdTopics = (): string[] =>
  readFileSync(join(folder, "calls"), "utf8")
    .split("\n")
    .flatMap((line) => /--topic (\S+)/.exec(line)?.[1] ?? []);

interface Proxies {
  readonly asked: readonly string[];
  /** The value of PROXY_REQUESTS. By default the scripts use the ports of Istio and Linkerd. */
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

const stopRequests = ["POST /quitquitquit", "POST /shutdown"];

test("the topics Job waits for unreachable brokers, creates the topics and stops the mesh's proxy", async () => {
  writeTools(3);
  const proxy = await startProxies();
  expect(await createTopics("20", proxy)).toMatchObject({ code: 0 });
  expect(createdTopics()).toEqual(["web", "app", "retry-30s", "retry-5m", "dead"]);
  expect(proxy.asked.toSorted()).toEqual(stopRequests);
});

test("the topics Job that cannot reach the brokers reports that, creates nothing and stops the mesh's proxy", async () => {
  writeTools(1_000_000);
  const proxy = await startProxies();
  const { code, output } = await createTopics("0", proxy);
  expect(code).toBe(1);
  expect(output).toContain("Cannot reach Kafka at kafka:9092");
  expect(createdTopics()).toEqual([]);
  expect(proxy.asked.toSorted()).toEqual(stopRequests);
});

test("the topics Job succeeds without a mesh", async () => {
  writeTools(1);
  expect(await createTopics("20", await noProxies())).toEqual({ code: 0, output: "" });
});

test("the pod of helm test stops the mesh's proxy", async () => {
  const proxy = await startProxies();
  const port = await listen([]);
  expect(await askIfReady(port, proxy)).toEqual({ code: 0, output: "ready\n\n" });
  expect(proxy.asked.toSorted()).toEqual(stopRequests);
});

test("the pod of helm test succeeds without a mesh", async () => {
  const proxy = await noProxies();
  const port = await listen([]);
  expect(await askIfReady(port, proxy)).toMatchObject({ code: 0 });
});

test.each(["create-topics.sh", "test-ready.mjs"])("%s has the stop requests of Istio and Linkerd", (file) => {
  expect(readFileSync(`${files}/${file}`, "utf8")).toContain("15020/quitquitquit 4191/shutdown");
});
