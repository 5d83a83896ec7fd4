import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";

import { expect, it } from "vitest";

import { programEnv } from "../program-env.ts";

const skip = async (args: readonly string[], env: Readonly<Record<string, string>> = {}) => {
  const child = spawn(process.execPath, ["src/main.ts", "skip", ...args], {
    env: { ...programEnv, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [out, err, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "exit")]);
  return { code: code as number | null, out, err };
};

const place = ["--topic", "events", "--partition", "3"];

it.each([
  [64, "no offset", place, "required option '--to-offset <offset>'"],
  [64, "an offset that is no number", [...place, "--to-offset", "-1"], "Want a whole number."],
  [78, "no brokers", [...place, "--to-offset", "20"], "KAFKA_BROKERS is not set"],
] as const)("gainstream skip ends with exit code %i for %s", async (code, _, args, words) => {
  expect(await skip(args)).toEqual({ code, out: "", err: expect.stringContaining(words) });
});

it("gainstream skip explains in its help how to run it with the environment of the service", async () => {
  const { code, out } = await skip(["--help"]);
  expect([code, out]).toEqual([0, expect.stringContaining("kubectl exec deploy/gainstream -- node dist/main.js skip")]);
});
