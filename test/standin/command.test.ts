import { spawn } from "node:child_process";
import { once } from "node:events";

import { describe, expect, it } from "vitest";

import { accessKey, withStandin } from "./with-standin.ts";

const program = `
  import { standinCommand } from "./src/cli/standin.ts";
  await standinCommand().parseAsync(process.argv.slice(1), { from: "user" });
`;

const start = (...flags: readonly string[]) => {
  const child = spawn(process.execPath, ["--input-type=module", "--eval", program, "--", ...flags]);
  const printed = { out: "", err: "" };
  child.stdout.on("data", (chunk) => void (printed.out += String(chunk)));
  child.stderr.on("data", (chunk) => void (printed.err += String(chunk)));
  return { child, printed };
};

describe("gainstream standin", () => {
  it.each(["SIGINT", "SIGTERM"] as const)(
    "prints its address and what to send, and ends with 0 on %s",
    async (signal) => {
      const { child, printed } = start("--port", "0");
      await expect.poll(() => printed.out, { timeout: 10_000 }).toContain("Stop with Ctrl-C");
      const url = /http:\/\/127\.0\.0\.1:\d+/.exec(printed.out)?.[0] ?? "";
      expect((await fetch(`${url}/standin/stats`)).status).toBe(200);
      expect(printed.out).toContain("accessKey: 00000000-0000-4000-8000-000000000000");
      expect(printed.out).toContain(`curl -X POST ${url}/standin/faults`);
      child.kill(signal);
      expect(await once(child, "exit")).toEqual([0, null]);
    },
  );

  it("never prints its access key", async () => {
    const { child, printed } = start("--port", "0", "--access-key", "my-own-secret");
    await expect.poll(() => printed.out, { timeout: 10_000 }).toContain("Stop with Ctrl-C");
    child.kill("SIGTERM");
    await once(child, "exit");
    expect(printed.out + printed.err).not.toContain("my-own-secret");
  });

  it("ends with 1 and one sentence if the port is in use", () =>
    withStandin(async ({ port }) => {
      const { child, printed } = start("--port", String(port), "--access-key", accessKey);
      expect(await once(child, "close")).toEqual([1, null]);
      expect(printed.err).toBe(
        `Cannot listen on 127.0.0.1:${port}: the port is in use; choose another with --port, or a free one with --port 0\n`,
      );
    }));

  it.each([
    [["--port", "abc"], "Want a whole number from 0 (any free port) to 65535"],
    [["--port", "0", "--access-key-file", "/nowhere/key"], "/nowhere/key"],
    [["--port", "0", "--access-key", ""], "Cannot use the access key"],
    [["--access-key", "a", "--access-key-file", "b"], "cannot be used with"],
  ])("ends with 1 and a sentence for %j", async (flags, sentence) => {
    const { child, printed } = start(...flags);
    expect(await once(child, "close")).toEqual([1, null]);
    expect(printed.err).toContain(sentence);
  });
});
