import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { createCleanupScope } from "../../local/demo-scope.ts";

const LOCAL = join(import.meta.dirname, "../../local");

interface Ended {
  readonly code: number | string | null | undefined;
  readonly output: string;
}

const runDoor = (door: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ended> =>
  new Promise((resolve) => {
    execFile(process.execPath, [door, ...args], { env: { ...process.env, ...env } }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : error.code, output: stdout + stderr }),
    );
  });

describe("npm run demo", () => {
  const door = join(LOCAL, "demo.mjs");

  test("explains itself with --help", async () => {
    const { code, output } = await runDoor(door, ["--help"]);
    expect(code).toBe(0);
    expect(output).toContain("--keep");
    expect(output).toContain("Exit codes");
  });

  test("refuses an option that it does not know with 64", async () => {
    const { code, output } = await runDoor(door, ["--kepe"]);
    expect(code).toBe(64);
    expect(output).toContain("Did you mean --keep?");
  });

  test("says in one sentence what is wrong with the environment", async () => {
    const { code, output } = await runDoor(door, [], { KAFKA_BROKERS: "127.0.0.1:1", SCHEMA_REGISTRY_URL: "" });
    expect(code).toBe(1);
    expect(output.trim().split("\n").at(-1)).toBe(
      "Only KAFKA_BROKERS is set: set SCHEMA_REGISTRY_URL too, or neither to start both on this machine",
    );
  });
});

describe("the door on a machine where nothing is installed", () => {
  let home: string;
  const door = (): string => join(home, "local/demo.mjs");
  const setUp = async (npm: string): Promise<void> => {
    await cp(join(LOCAL, "demo.mjs"), door());
    await writeFile(
      join(home, "local/demo.ts"),
      'console.log("plays", ...process.argv.slice(2)); process.exitCode = 3;',
    );
    await writeFile(join(home, "npm.cjs"), npm);
  };
  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), "gainstream-door-"));
    await mkdir(join(home, "local"));
  });
  afterEach(() => rm(home, { recursive: true }));

  test("installs first, says so, and plays with the arguments", async () => {
    await setUp('console.log("npm", process.argv[2])');
    const { code, output } = await runDoor(door(), ["--keep"], { npm_execpath: join(home, "npm.cjs") });
    expect(output).toBe("Installing what the demo needs into node_modules (npm ci, once) …\nnpm ci\nplays --keep\n");
    expect(code).toBe(3);
  });

  test("ends with npm's exit code where that fails", async () => {
    await setUp("process.exitCode = 7");
    const { code, output } = await runDoor(door(), [], { npm_execpath: join(home, "npm.cjs") });
    expect(code).toBe(7);
    expect(output).not.toContain("plays");
  });
});

describe("createCleanupScope()", () => {
  test("undoes the last first, also what is still being started and whatever fails", async () => {
    const done: string[] = [];
    const starting = Promise.withResolvers<string>();
    const scope = createCleanupScope();
    await scope.register(Promise.resolve("first"), (name) => done.push(name));
    await scope.register(Promise.resolve("second"), () => Promise.reject(new Error("no")));
    void scope.register(starting.promise, (name) => done.push(name));
    scope.onQuiet(() => done.push("quiet"));
    const ending = scope.end(1_000);
    starting.resolve("third");
    await ending;
    expect(done).toEqual(["quiet", "third", "first"]);
  });

  test("lets nobody go on with what was started too late", async () => {
    const scope = createCleanupScope();
    const starting = Promise.withResolvers<string>();
    let isGoingOn = false;
    void scope.register(starting.promise, () => {}).then(() => (isGoingOn = true));
    const ending = scope.end(1_000);
    starting.resolve("late");
    await ending;
    expect(isGoingOn).toBe(false);
  });

  test("gives up at the limit", async () => {
    const scope = createCleanupScope();
    void scope.register(new Promise<never>(() => {}), () => {});
    await expect(scope.end(1)).resolves.toBeUndefined();
  });
});
