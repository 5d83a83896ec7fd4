import { readFileSync } from "node:fs";

import { describe, expect, it } from "vitest";

import { heapFlags } from "../../bench/process.ts";
import { describeVariables } from "../../src/config/variables.ts";
import { markedTable } from "./marked.ts";

describe("README.md", () => {
  it("lists every variable with the default and the meaning that the program knows", () => {
    const known = describeVariables().map((variable) => [
      `\`${variable.name}\``,
      ["required", "none"].includes(variable.default) ? variable.default : `\`${variable.default}\``,
      variable.meaning,
    ]);
    expect(markedTable("README.md", "variables")).toEqual(known);
  });

  it.each(["README.md", "package.json", "src/main.ts"])("is measured with the flags of node that %s names", (file) => {
    expect(readFileSync(file, "utf8")).toContain(`node ${heapFlags.join(" ")} `.trim());
  });
});
