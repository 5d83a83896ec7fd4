import { readFileSync } from "node:fs";

import { expect, test } from "vitest";
import { parse } from "yaml";

import { kafkaVersion } from "../../local/packages.ts";
import { rowOf, versions, wantedVersions } from "./round.ts";

const report = (...failed: string[]) => ({
  numPassedTests: 3,
  numFailedTests: failed.length,
  testResults: [
    { name: "/a.test.ts", status: "passed", assertionResults: [{ status: "passed", fullName: "a" }] },
    {
      name: "/b.test.ts",
      status: failed.length > 0 ? "failed" : "passed",
      assertionResults: failed.map((fullName) => ({ status: "failed", fullName })),
    },
  ],
});

test("wantedVersions() takes those that are named, or all", () => {
  expect(wantedVersions([])).toBe(versions);
  expect(wantedVersions(["3.9.1"])).toEqual(["3.9.1"]);
  expect(() => wantedVersions(["newest"])).toThrow("Cannot use KAFKA_VERSION: got 'newest'");
});

test("rowOf() names what failed, also a file that could not be loaded, and a round that did not begin", () => {
  const round = { version: "4.1.0", seconds: 500, hasPassed: true, report: report() };
  expect(rowOf(round)).toBe("4.1.0  ok      3 passed, 0 failed, 500 s");
  const failed = { ...round, hasPassed: false };
  expect(rowOf({ ...failed, report: report("b one", "b two") })).toBe(
    "4.1.0  FAILED  3 passed, 2 failed, 500 s\n         b one\n         b two",
  );
  const broken = { ...report(), testResults: [{ name: "/c.test.ts", status: "failed", assertionResults: [] }] };
  expect(rowOf({ ...failed, report: broken })).toContain("1 failed, 500 s\n         /c.test.ts");
  expect(rowOf({ ...failed, report: undefined })).toBe("4.1.0  FAILED  no journey was run");
});

test("every night the same versions are tried, and that of the tests is among them", () => {
  const workflow: { jobs: { brokers: { strategy: { matrix: { kafka: string[] } } } } } = parse(
    readFileSync(".github/workflows/brokers.yml", "utf8"),
  );
  expect(workflow.jobs.brokers.strategy.matrix.kafka).toEqual([...versions]);
  expect(versions).toContain(kafkaVersion({}));
});
