import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";

import { describe, expect, it } from "vitest";

const send = async (args: readonly string[], env: Readonly<Record<string, string>> = {}) => {
  const child = spawn(process.execPath, ["src/main.ts", "send", ...args], {
    env: { PATH: process.env["PATH"], ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [out, err, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "exit")]);
  return { code: code as number | null, out, err };
};

const event = '{"type":"track","event":"Order Completed","userId":"u1","messageId":"m1"}';

describe("gainstream send", () => {
  it.each([
    [64, "neither a file nor an event", [], {}, "want either a file"],
    [64, "both a file and an event", ["-", "--event", event], {}, "want either a file"],
    [64, "an unknown option", ["--colour"], {}, "unknown option '--colour'"],
    [78, "no brokers", ["--event", event], {}, "KAFKA_BROKERS: got nothing"],
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
  ] as const)("ends with %i where there is %s", async (code, _, args, env, words) => {
    expect(await send(args, env)).toEqual({ code, out: "", err: expect.stringContaining(words) });
  });

  it("makes a dry run without any environment, and without the key where there is one", async () => {
    const ended = await send(["--body", "--event", event], { GAINSIGHT_ACCESS_KEY_FILE: "no-such-file" });
    expect(ended).toMatchObject({ code: 0, err: "" });
    const [line = "", body = "", totals] = ended.out.split("\n");
    expect(line).toMatch(/^line 1: track 'Order Completed' of user 'u1' → call track, \d+ bytes$/);
    expect(JSON.parse(body)).toMatchObject({ messageId: "m1" });
    expect(totals).toBe("1 event: 1 call track. Nothing was sent");
  });

  it("ends a dry run with 1 where something is no event", async () => {
    const ended = await send(["--dry-run", "--event", "nonsense"]);
    expect(ended).toMatchObject({
      code: 1,
      out: expect.stringContaining("line 1: → cannot be sent: Cannot read JSON"),
    });
  });

  it("has help with examples", async () => {
    const { code, out } = await send(["--help"]);
    expect(code).toBe(0);
    expect(out).toContain("gainstream send --dry-run --event '{");
  });
});
