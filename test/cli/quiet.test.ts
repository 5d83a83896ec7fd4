import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";

import { describe, expect, it } from "vitest";

import { createFakeRegistry } from "../decoding/registry/fake-registry.ts";
import { programEnv } from "../program-env.ts";

const env = {
  ...programEnv,
  KAFKA_BROKERS: "127.0.0.1:9",
  GAINSIGHT_ACCESS_KEY: "0123abcd-4567-89ab-cdef-0123456789ab",
  HTTP_PORT: "0",
};

/** Runs a command. With `until`, it gets a SIGTERM as soon as it prints that text. */
const run = async (args: readonly string[], { until, ...change }: Readonly<Record<string, string>> = {}) => {
  const child = spawn(process.execPath, ["src/main.ts", ...args], { env: { ...env, ...change } });
  // Only one signal: a second one would end the process at once.
  if (until !== undefined)
    child.stdout.on("data", (output) => String(output).includes(until) && !child.killed && child.kill("SIGTERM"));
  const [, err, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "exit")]);
  return { code: code as number | null, err };
};

/** On standard error Node warns of experimental or deprecated features, negative timers, and too many listeners. */
describe("standard error stays empty", () => {
  it.each([
    "--help",
    "run --help",
    "send --help",
    "settings --help",
    "settings check --help",
    "settings schema --help",
    "schemas --help",
    "schemas register --help",
    "schemas check --help",
    "standin --help",
    "settings schema",
    "send --body --event {}",
  ])("with gainstream %s", async (line) => {
    const { err } = await run(line.split(" "));
    expect(err).toBe("");
  });

  it("with a service that tries to reach Kafka and is stopped", { timeout: 20_000 }, async () => {
    expect(await run(["run"], { until: "ECONNREFUSED", KAFKA_TLS: "true" })).toEqual({ code: 0, err: "" });
  });

  it("with a stand-in", async () => {
    const { err } = await run(["standin", "--port", "0"], { until: "Stop with Ctrl-C" });
    expect(err).toBe("");
  });

  it("with a request to the registry", async () => {
    await using registry = await createFakeRegistry();
    const { err } = await run(["schemas", "check", "--registry", registry.url]);
    expect(err).toBe("");
  });
});
