import { existsSync, readFileSync, readdirSync } from "node:fs";

import { describe, expect, it } from "vitest";

/** Licences that may ship with software under Apache-2.0: category A of https://www.apache.org/legal/resolved.html. */
const allowed = ["0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "BlueOak-1.0.0", "ISC", "MIT"];

interface Lock {
  readonly packages: Readonly<Record<string, { readonly dev?: boolean; readonly optional?: boolean }>>;
}

const { packages } = JSON.parse(readFileSync("package-lock.json", "utf8")) as Lock;
const shipped = Object.entries(packages).flatMap(([path, { dev, optional }]) =>
  path === "" || dev || optional ? [] : [path],
);

/** The licence in package.json; if there is none, the title of the LICENSE file. */
const licenceOf = (path: string): string => {
  const { license } = JSON.parse(readFileSync(`${path}/package.json`, "utf8")) as { readonly license?: unknown };
  if (typeof license === "string") return license;
  return /^(.+) License\n/.exec(readFileSync(`${path}/LICENSE`, "utf8"))?.[1] ?? "none";
};

/** The installed platform binaries. Node itself does not ship as a package. */
const binaries = Object.entries(packages).flatMap(([path, { dev, optional }]) =>
  optional && !dev && existsSync(path) && !path.startsWith("node_modules/node-linux-") ? [path] : [],
);

describe("every package that is shipped", () => {
  it("is found in the lock file", () => expect(shipped.length).toBeGreaterThan(10));

  it("is found if it is a binary for this platform", () => expect(binaries.length).toBeGreaterThan(1));

  it.each([...shipped, ...binaries])("has a licence that is compatible with Apache-2.0: %s", (path) => {
    expect(allowed).toContain(licenceOf(path));
  });

  it("contains its licence text, as the licences demand", () => {
    const hasText = (path: string): boolean => readdirSync(path).some((name) => /^licen[cs]e/i.test(name));
    // The text of Apache-2.0 ships as our own LICENSE.
    const isOurs = (path: string): boolean => licenceOf(path) === "Apache-2.0";
    expect(shipped.filter((path) => !hasText(path) && !isOurs(path))).toEqual([]);
  });
});
