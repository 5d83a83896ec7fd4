import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";

import { describe, expect, it } from "vitest";

import { programEnv } from "../program-env.ts";

const env = {
  ...programEnv,
  KAFKA_BROKERS: "127.0.0.1:9",
  GAINSIGHT_ACCESS_KEY: "0123abcd-4567-89ab-cdef-0123456789ab",
  HTTP_PORT: "0",
};

/** `gainstream run`; this code runs before it. */
const run = async (code: string, change: Readonly<Record<string, string>> = {}) => {
  const preload = `data:text/javascript,${encodeURIComponent(code)}`;
  const child = spawn(process.execPath, ["--import", preload, "src/main.ts", "run"], { env: { ...env, ...change } });
  const [out, err, [exit]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "exit")]);
  return { code: exit as number | null, lines: out.split("\n").filter((line) => line !== ""), err };
};

/** Code that runs `crash` outside any call stack, as soon as the service has started. */
const afterStart = (crash: string): string =>
  `const { write } = process.stdout; import("node:fs").then(({ default: fs }) => {
    const before = fs.writeSync;
    fs.writeSync = (...args) => { if (String(args[1]).includes("Started")) setImmediate(() => { ${crash} }); return before(...args); };
  });`;

describe("gainstream run", () => {
  it.each([
    ["an uncaught exception", `throw new TypeError("x is not a function");`, "TypeError"],
    ["an unhandled rejection", `Promise.reject(new RangeError("x is not a function"));`, "RangeError"],
  ])("logs %s in one line, and ends with exit code 1", async (_, crash, type) => {
    const { code, lines, err } = await run(afterStart(crash));
    expect([code, err]).toEqual([1, ""]);
    const last = JSON.parse(lines.at(-1) ?? "") as unknown;
    expect(last).toMatchObject({
      level: "fatal",
      msg: "x is not a function",
      err: { type, stack: expect.any(String) },
    });
  });

  it("prints an error from before the log exists, and ends with exit code 1", async () => {
    const { code, lines, err } = await run(
      `String.prototype.trim = function trim() { if (String(this) === "127.0.0.1:9") throw new TypeError("x is not a function"); };`,
    );
    expect({ code, lines, err }).toEqual({ code: 1, lines: [], err: "x is not a function\n" });
  });

  it("names the wrong schema in a folder, and ends with exit code 78", async () => {
    const folder = mkdtempSync(join(tmpdir(), "gainstream-run-"));
    writeFileSync(join(folder, "a.avsc"), "{");
    const { code, lines, err } = await run("", { AVRO_SCHEMA_FILE: folder });
    rmSync(folder, { recursive: true });
    expect([code, lines]).toEqual([78, []]);
    expect(err).toContain(`Cannot use AVRO_SCHEMA_FILE: got '${join(folder, "a.avsc")}'`);
  });
});
