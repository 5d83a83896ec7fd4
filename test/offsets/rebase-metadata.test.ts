import { describe, expect, it } from "vitest";

import { rebaseMetadata } from "../../src/offsets/rebase-metadata.ts";

describe("rebaseMetadata()", () => {
  it.each([
    ["drops what is completed below the new offset", "g1:1.2.3.2", 4, "g1:2.2"],
    ["keeps the new offset itself completed", "g1:1.2.3.2", 2, "g1:0.1.3.2"],
    ["keeps the partial lists from the new offset on", "g1:3.2;0.BQ==;2.AQ==", 2, "g1:1.2;0.AQ=="],
    ["drops the topic id, which the next commit writes itself", "g1:3.2;@qrqQmLHpQY-6ZXOT08J_qw", 2, "g1:1.2"],
    ["is empty if the metadata is not ours", "consumer-1 at 12:00", 2, ""],
    ["is empty without metadata", null, 2, ""],
  ])("%s", (_, metadata, newOffset, expected) => {
    expect(rebaseMetadata({ offset: 0, metadata, newOffset })).toBe(expected);
  });

  it("reads metadata without a committed offset from offset 0 on", () => {
    expect(rebaseMetadata({ metadata: "g1:3.2", newOffset: 2 })).toBe("g1:1.2");
  });
});
