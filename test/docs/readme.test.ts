import { describe, expect, it } from "vitest";

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
});
