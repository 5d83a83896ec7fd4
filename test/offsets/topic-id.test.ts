import { describe, expect, it } from "vitest";

import { maxChars } from "../../src/offsets/completed-map.ts";
import { decodeStarted } from "../../src/offsets/partial-lists.ts";
import { decodeTopicId, encodeTopicId } from "../../src/offsets/topic-id.ts";
import { Tracker } from "../../src/offsets/tracker.ts";

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

  it("is passed over by those who read the rest, and counts among the characters of the whole", () => {
    const tracker = new Tracker({ start: 0, topicId: id });
    const list = tracker.see(0, 3);
    if (list) tracker.finish(list, 1);
    expect(tracker.pending()?.metadata).toBe(`;0.Ag==;@${id}`);
    expect(decodeStarted(0, `;0.Ag==;@${id}`)).toEqual(new Map([[0, new Set([1])]]));
  });

  it.each([
    [maxChars, id],
    [30, id],
    [24, id],
    [23, undefined],
    [0, undefined],
  ])(
    "counts among the characters of the whole: of %i it leaves the rest to the map, and %s comes back",
    (limit, told) => {
      const tracker = new Tracker({ start: 0, topicId: id });
      for (let offset = 0; offset < 24_000; offset++) {
        const slot = tracker.see(offset);
        if (slot && offset % 3 === 1) tracker.finish(slot);
      }
      const { metadata = "none" } = tracker.pending(limit) ?? {};
      expect([metadata.length <= limit, decodeTopicId(metadata)]).toEqual([true, told]);
    },
  );
});
