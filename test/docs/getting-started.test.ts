import { readFileSync } from "node:fs";

import { expect, it } from "vitest";

import { heapFlags } from "../../bench/process.ts";

it.each(["docs/getting-started.md", "package.json", "src/main.ts"])(
  "what is measured has the flags of node that %s names",
  (file) => {
    expect(readFileSync(file, "utf8")).toContain(`node ${heapFlags.join(" ")} `.trim());
  },
);
