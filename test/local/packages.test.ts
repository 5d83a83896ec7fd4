import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { fetchOnce, kafkaVersion } from "../../local/packages.ts";

let cache: string;
let lines: string[];

beforeEach(async () => {
  cache = await mkdtemp(join(tmpdir(), "gainstream-test-"));
  lines = [];
});
afterEach(() => rm(cache, { recursive: true }));

function fetchText(text: string): Promise<string> {
  return fetchOnce({
    cache,
    folder: "thing-1.0",
    title: "Thing 1.0 (1 kB, once)",
    log: (line) => lines.push(line),
    async fill({ content }) {
      await mkdir(content);
      await writeFile(join(content, "thing.txt"), text);
    },
  });
}

test("kafkaVersion() uses KAFKA_VERSION, and rejects a value that is no version", () => {
  expect(kafkaVersion({ KAFKA_VERSION: " 3.9.2 " })).toBe("3.9.2");
  expect(kafkaVersion({ KAFKA_VERSION: "" })).toBe(kafkaVersion({}));
  for (const wrong of ["4.1", "latest", "4.1.0-rc1", "../4.1.0"])
    expect(() => kafkaVersion({ KAFKA_VERSION: wrong })).toThrow(
      `Cannot use KAFKA_VERSION: got '${wrong}', want a version of Apache Kafka such as '4.1.0'`,
    );
});

test("fetchOnce() downloads once, logs one line and leaves nothing else behind", async () => {
  const home = await fetchText("first");
  await fetchText("second");
  expect(await readFile(join(home, "thing.txt"), "utf8")).toBe("first");
  expect(lines).toEqual(["Downloading Thing 1.0 (1 kB, once) …"]);
  expect(await readdir(cache)).toEqual(["thing-1.0"]);
});

test("fetchOnce() allows several downloads at the same time", async () => {
  const homes = await Promise.all(["a", "b", "c", "d"].map(fetchText));
  expect(new Set(homes)).toEqual(new Set([join(cache, "thing-1.0")]));
  expect(await readdir(cache)).toEqual(["thing-1.0"]);
  expect(await readdir(join(cache, "thing-1.0"))).toEqual(["thing.txt"]);
});

test("fetchOnce() leaves no partial package if the download fails", async () => {
  const failing = fetchOnce({
    cache,
    folder: "thing-1.0",
    title: "Thing",
    log: () => {},
    async fill({ content }) {
      await mkdir(content);
      throw new Error("Cannot download with Maven: no route to host");
    },
  });
  await expect(failing).rejects.toThrow("no route to host");
  expect(await readdir(cache)).toEqual([]);
});
