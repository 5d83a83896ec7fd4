import { describe, expect, it } from "vitest";

import { maxMetadataChars } from "../../src/offsets/completed-map.ts";
import { decodePartialLists } from "../../src/offsets/partial-lists.ts";
import { decodeTopicId, encodeTopicId } from "../../src/offsets/topic-id.ts";
import { OffsetTracker } from "../../src/offsets/tracker.ts";

const id = "qrqQmLHpQY-6ZXOT08J_qw";

describe("the id of the topic in a commit's metadata", () => {
  it.each([
    ["", undefined],
    [null, undefined],
    ["g1:1.1;0.BQ==", undefined],
    [encodeTopicId(id), id],
    [`g1:1.1;0.BQ==;@${id}`, id],
    [`g1:1.1;@${id};0.BQ==`, id],
    [`g1:1.1;@${id}x`, undefined],
    [`g1:1.1;@short`, undefined],
  ])("of %j is %s", (metadata, expected) => {
    expect(decodeTopicId(metadata)).toBe(expected);
  });

  it("does not disturb the other sections, and counts towards the length of the metadata", () => {
    const tracker = new OffsetTracker({ startOffset: 0, topicId: id });
    const list = tracker.register(0, 3);
    if (list) tracker.complete(list, 1);
    expect(tracker.nextCommit()?.metadata).toBe(`;0.Ag==;@${id}`);
    expect(decodePartialLists(0, `;0.Ag==;@${id}`)).toEqual(new Map([[0, new Set([1])]]));
  });

  it.each([
    [maxMetadataChars, id],
    [30, id],
    [24, id],
    [23, undefined],
    [0, undefined],
  ])("counts towards the length of the metadata: with at most %i characters it reads back as %s", (limit, expected) => {
    const tracker = new OffsetTracker({ startOffset: 0, topicId: id });
    for (let offset = 0; offset < 24_000; offset++) {
      const entry = tracker.register(offset);
      if (entry && offset % 3 === 1) tracker.complete(entry);
    }
    const { metadata = "none" } = tracker.nextCommit(limit) ?? {};
    expect([metadata.length <= limit, decodeTopicId(metadata)]).toEqual([true, expected]);
  });
});
