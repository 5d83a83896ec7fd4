import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";

import { describe, expect, it, onTestFinished } from "vitest";

import { programEnv } from "../program-env.ts";

const send = async (args: readonly string[], env: Readonly<Record<string, string>> = {}) => {
  const child = spawn(process.execPath, ["src/main.ts", "send", ...args], {
    env: { ...programEnv, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [out, err, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "exit")]);
  return { code: code as number | null, out, err };
};

const event = '{"type":"track","event":"Order Completed","userId":"u1","messageId":"m1"}';

describe("gainstream send", () => {
  it.each([
    [64, "neither a file nor an event", [], {}, "name files (- reads standard input) or use --event <json>"],
    [
      64,
      "both a file and an event",
      ["-", "--event", event],
      {},
      "name files (- reads standard input) or use --event <json>",
    ],
    [64, "an unknown option", ["--colour"], {}, "unknown option '--colour'"],
    [78, "no brokers", ["--event", event], {}, "KAFKA_BROKERS is not set"],
    [
      78,
      "no schema",
      ["--dry-run", "--event", event],
      { INPUT_FORMAT: "avro", AVRO_SCHEMA_FILE: "x" },
      "AVRO_SCHEMA_FILE",
    ],
    [1, "no such file", ["x.jsonl"], { KAFKA_BROKERS: "127.0.0.1:1" }, "Cannot read the events: got 'x.jsonl'"],
    [
      1,
      "an invalid event",
      ["--event", '{"type":"track"}'],
      { KAFKA_BROKERS: "127.0.0.1:1" },
      "line 1: no_user_anon_id",
    ],
  ] as const)("ends with exit code %i for %s", async (code, _, args, env, words) => {
    expect(await send(args, env)).toEqual({ code, out: "", err: expect.stringContaining(words) });
  });

  it("needs no environment for a dry run, and does not read the file of the access key", async () => {
    const ended = await send(["--body", "--event", event], { GAINSIGHT_ACCESS_KEY_FILE: "no-such-file" });
    expect(ended).toMatchObject({ code: 0, err: "" });
    const [line = "", body = "", ...totals] = ended.out.split("\n");
    expect(line).toMatch(/^line 1 {3}track 'Order Completed' of user 'u1' +→ call track, \d+ bytes$/);
    expect(JSON.parse(body)).toMatchObject({ messageId: "m1" });
    expect(totals).toEqual(["1 event. Nothing was sent", "     1  call track", ""]);
  });

  it("ends a dry run with exit code 1 if a line has no event", async () => {
    const ended = await send(["--dry-run", "--event", "nonsense"]);
    expect(ended).toMatchObject({
      code: 1,
      out: expect.stringMatching(/^line 1 {3}no event +→ dead undecodable\n {9}Cannot read JSON/),
    });
  });

  it("prints a dry run of several files, each under its name", async () => {
    const folder = await mkdtemp(join(tmpdir(), "gainstream-send-"));
    onTestFinished(() => rm(folder, { recursive: true }));
    const files = [join(folder, "a.jsonl"), join(folder, "b.jsonl")];
    for (const file of files) await writeFile(file, event);
    const { code, out } = await send(["--dry-run", ...files]);
    expect(code).toBe(0);
    const lines = out.split("\n");
    expect([lines[0], lines[2], lines[3], ...lines.slice(5)]).toEqual([
      files[0],
      "",
      files[1],
      "",
      "2 events in 2 files. Nothing was sent",
      "     2  call track",
      "",
    ]);
  });

  it("has help with examples", async () => {
    const { code, out } = await send(["--help"]);
    expect(code).toBe(0);
    expect(out).toContain("gainstream send --dry-run --event '{");
  });
});
