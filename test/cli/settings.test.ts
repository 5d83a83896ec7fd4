import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { settingsJsonSchema } from "../../src/config/settings/json-schema.ts";
import { programEnv } from "../program-env.ts";

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "gainstream-settings-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

const run = (...words: readonly string[]) => {
  const env = programEnv;
  const { status, stdout, stderr } = spawnSync(process.execPath, ["src/main.ts", "settings", ...words], { env });
  return { status, out: String(stdout), err: String(stderr) };
};

const written = (text: string): string => {
  const file = join(folder, "settings.yaml");
  writeFileSync(file, text);
  return file;
};

describe("gainstream settings", () => {
  it("check accepts a file without mistakes, with exit code 0", () => {
    const file = written("events: [Order Completed]");
    expect(run("check", file)).toEqual({ status: 0, out: `${file} has no mistakes\n`, err: "" });
  });

  it("check lists every mistake on its own line, with exit code 78", () => {
    const { status, out, err } = run("check", written(`events: [${"3,".repeat(30)}]\npause: true`));
    expect([status, out]).toEqual([78, ""]);
    expect(err).toMatch(
      /^Cannot use the configuration because of 31 mistakes:\n {2}settings.events\[0\]: got '3', want /,
    );
    expect(err).toContain("  settings.pause is unknown; known settings are events, ");
    expect(run("check", join(folder, "none.yaml"))).toMatchObject({ status: 78 });
  });

  it("check needs a file", () => {
    expect(run("check")).toMatchObject({ status: 64, err: expect.stringContaining("name the settings file") });
  });

  it("schema prints the JSON Schema for editors", () => {
    const { status, out } = run("schema");
    expect([status, JSON.parse(out)]).toEqual([0, settingsJsonSchema()]);
  });
});
