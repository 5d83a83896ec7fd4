import { existsSync, readFileSync, readdirSync } from "node:fs";

import { describe, expect, it } from "vitest";

/** Those that may be shipped with software under Apache-2.0 (category A of the Apache Software Foundation). */
const allowed = ["0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "BlueOak-1.0.0", "ISC", "MIT"];

interface Lock {
  readonly packages: Readonly<Record<string, { readonly dev?: boolean; readonly optional?: boolean }>>;
}

const { packages } = JSON.parse(readFileSync("package-lock.json", "utf8")) as Lock;
const shipped = Object.entries(packages).flatMap(([path, { dev, optional }]) =>
  path === "" || dev || optional ? [] : [path],
);

/** As package.json has it; where that says nothing, the title of the licence's text. */
const licenceOf = (path: string): string => {
  const { license } = JSON.parse(readFileSync(`${path}/package.json`, "utf8")) as { readonly license?: unknown };
  if (typeof license === "string") return license;
  return /^(.+) License\n/.exec(readFileSync(`${path}/LICENSE`, "utf8"))?.[1] ?? "none";
};

/** Those of them that this machine has; Node itself is not shipped as a package. */
const binaries = Object.entries(packages).flatMap(([path, { dev, optional }]) =>
  optional && !dev && existsSync(path) && !path.startsWith("node_modules/node-linux-") ? [path] : [],
);

describe("every package that is shipped", () => {
  it("is found in the lock file", () => expect(shipped.length).toBeGreaterThan(10));

  it("is found where it is a binary for this platform", () => expect(binaries.length).toBeGreaterThan(1));

  it.each([...shipped, ...binaries])("has a licence that goes with Apache-2.0: %s", (path) => {
    expect(allowed).toContain(licenceOf(path));
  });

  it("comes with its licence's text, as the licences demand", () => {
    const hasText = (path: string): boolean => readdirSync(path).some((name) => /^licen[cs]e/i.test(name));
    // Ours is the same text, and ships beside them.
    const isOurs = (path: string): boolean => licenceOf(path) === "Apache-2.0";
    expect(shipped.filter((path) => !hasText(path) && !isOurs(path))).toEqual([]);
  });
});
