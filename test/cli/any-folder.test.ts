import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { resolve } from "node:path";

import { expect, it } from "vitest";

import { programEnv } from "../program-env.ts";

const main = resolve("src/main.ts");
const event = '{"type":"track","event":"Order Completed","userId":"u1"}';

it("finds the shipped schema from any current folder", () => {
  const env = { ...programEnv, INPUT_FORMAT: "avro" };
  const options = { cwd: tmpdir(), env, encoding: "utf8" } as const;
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [main, "send", "--dry-run", "--event", event],
    options,
  );
  expect([status, stderr]).toEqual([0, ""]);
  expect(stdout).toMatch(/→ call track, \d+ bytes\n/);
});

it("packs the schema beside the program", () => {
  const { files, bin } = JSON.parse(readFileSync("package.json", "utf8")) as { files: string[]; bin: object };
  expect(files).toEqual(["dist", "schemas"]);
  expect(Object.values(bin)).toEqual(["dist/main.js"]);
  expect(readFileSync("Dockerfile", "utf8")).toMatch(/COPY schemas schemas\nCOPY --from=build \/app\/dist dist\n/);
});
