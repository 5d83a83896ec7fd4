import { kafkaVersion } from "../../local/packages.ts";

/** The last of the 3.x line, the one that everything is developed against, and the newest. */
export const versions = ["3.9.2", "4.1.0", "4.4.0"] as const;

/** What vitest's JSON reporter writes, as far as it is read. */
export interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly testResults: readonly TestFile[];
}

interface TestFile {
  readonly name: string;
  readonly status: string;
  readonly message?: string;
  readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
}

export interface Round {
  readonly version: string;
  readonly seconds: number;
  readonly hasPassed: boolean;
  /** Absent where the journeys did not even begin. */
  readonly report: Report | undefined;
}

/** Those that were asked for, or all. Refuses what is no version. */
export const wantedVersions = (given: readonly string[]): readonly string[] =>
  given.length === 0 ? versions : given.map((version) => kafkaVersion({ KAFKA_VERSION: version }));

/** A file that could not even be loaded counts by its name. */
const failuresOf = ({ testResults }: Report): string[] =>
  testResults.flatMap(({ name, status, assertionResults }) => {
    const failed = assertionResults.filter((test) => test.status === "failed").map(({ fullName }) => fullName);
    return status === "failed" && failed.length === 0 ? [name] : failed;
  });

/** One line of the table, and one below it for each test that failed. */
export const rowOf = ({ version, seconds, hasPassed, report }: Round): string => {
  const verdict = hasPassed ? "ok    " : "FAILED";
  if (!report) return `${version}  ${verdict}  no journey was run`;
  const failures = failuresOf(report);
  const row = `${version}  ${verdict}  ${report.numPassedTests} passed, ${failures.length} failed, ${seconds} s`;
  return [row, ...failures.map((name) => `         ${name}`)].join("\n");
};
