import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { createCleanupScope } from "../../local/cleanup-scope.ts";

const LOCAL = join(import.meta.dirname, "../../local");

interface Ended {
  readonly code: number | string | null | undefined;
  readonly output: string;
}

const runEntry = (entry: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ended> =>
  new Promise((resolve) => {
    execFile(process.execPath, [entry, ...args], { env: { ...process.env, ...env } }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : error.code, output: stdout + stderr }),
    );
  });

describe("npm run demo", () => {
  const entry = join(LOCAL, "demo.mjs");

  test("explains itself with --help", async () => {
    const { code, output } = await runEntry(entry, ["--help"]);
    expect(code).toBe(0);
    expect(output).toContain("--keep");
    expect(output).toContain("Exit codes");
  });

  test("rejects an unknown option with exit code 64", async () => {
    const { code, output } = await runEntry(entry, ["--kepe"]);
    expect(code).toBe(64);
    expect(output).toContain("Did you mean --keep?");
  });

  test("reports a wrong environment in one sentence", async () => {
    const { code, output } = await runEntry(entry, [], { KAFKA_BROKERS: "127.0.0.1:1", SCHEMA_REGISTRY_URL: "" });
    expect(code).toBe(1);
    expect(output.trim().split("\n").at(-1)).toBe(
      "Only KAFKA_BROKERS is set: set SCHEMA_REGISTRY_URL too, or set neither to start both on this machine",
    );
  });
});

describe("npm run demo on a machine without node_modules", () => {
  let home: string;
  const entry = (): string => join(home, "local/demo.mjs");
  const setUp = async (npm: string): Promise<void> => {
    await cp(join(LOCAL, "demo.mjs"), entry());
    await writeFile(
      join(home, "local/demo.ts"),
      'console.log("started", ...process.argv.slice(2)); process.exitCode = 3;',
    );
    await writeFile(join(home, "npm.cjs"), npm);
  };
  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), "gainstream-entry-"));
    await mkdir(join(home, "local"));
  });
  afterEach(() => rm(home, { recursive: true }));

  test("installs first, says so, and passes on the arguments", async () => {
    await setUp('console.log("npm", process.argv[2])');
    const { code, output } = await runEntry(entry(), ["--keep"], { npm_execpath: join(home, "npm.cjs") });
    expect(output).toBe("Installing what the demo needs into node_modules (npm ci, once) …\nnpm ci\nstarted --keep\n");
    expect(code).toBe(3);
  });

  test("ends with npm's exit code if the install fails", async () => {
    await setUp("process.exitCode = 7");
    const { code, output } = await runEntry(entry(), [], { npm_execpath: join(home, "npm.cjs") });
    expect(code).toBe(7);
    expect(output).not.toContain("started");
  });
});

describe("createCleanupScope()", () => {
  test("undoes the latest first, also a start that is under way, and ignores failures", async () => {
    const done: string[] = [];
    const starting = Promise.withResolvers<string>();
    const scope = createCleanupScope();
    await scope.register(Promise.resolve("first"), (name) => done.push(name));
    await scope.register(Promise.resolve("second"), () => Promise.reject(new Error("no")));
    void scope.register(starting.promise, (name) => done.push(name));
    scope.onTerminalRelease(() => done.push("terminal"));
    const ending = scope.end(1_000);
    starting.resolve("third");
    await ending;
    expect(done).toEqual(["terminal", "third", "first"]);
  });

  test("does not continue a caller whose start resolves too late", async () => {
    const scope = createCleanupScope();
    const starting = Promise.withResolvers<string>();
    let isContinued = false;
    void scope.register(starting.promise, () => {}).then(() => (isContinued = true));
    const ending = scope.end(1_000);
    starting.resolve("late");
    await ending;
    expect(isContinued).toBe(false);
  });

  test("gives up at the limit", async () => {
    const scope = createCleanupScope();
    void scope.register(new Promise<never>(() => {}), () => {});
    await expect(scope.end(1)).resolves.toBeUndefined();
  });
});
