import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { decodeCompleted } from "../../src/offsets/completed-map.ts";
import { decodePartialLists, encodePartialLists } from "../../src/offsets/partial-lists.ts";

const lists = fc
  .dictionary(fc.nat(20_000).map(String), fc.uniqueArray(fc.nat(999), { minLength: 1, maxLength: 20 }), { maxKeys: 10 })
  .map((byOffset) => new Map(Object.entries(byOffset).map(([offset, indexes]) => [Number(offset), new Set(indexes)])));

describe("encodePartialLists()", () => {
  test("writes which events of a list are completed, as bits", () => {
    const partialLists = new Map([
      [100, new Set([0, 2])],
      [136, new Set([9])],
    ]);
    expect(encodePartialLists(100, partialLists, 4_000)).toBe(";0.BQ==;10.AAI=");
  });

  test("reads back what it wrote, behind any completed map", () => {
    fc.assert(
      fc.property(lists, fc.constantFrom("", "g1:3.2", "g2:AAE="), (partialLists, completed) => {
        const metadata = completed + encodePartialLists(0, partialLists, 4_000);
        expect(decodePartialLists(0, metadata)).toEqual(partialLists);
        expect(decodeCompleted(0, metadata)).toEqual(decodeCompleted(0, completed));
      }),
    );
  });

  test("leaves out from the end what does not fit", () => {
    const partialLists = new Map(Array.from({ length: 20 }, (_, offset) => [offset, new Set([999])]));
    const text = encodePartialLists(0, partialLists, 600);
    expect(text.length).toBeLessThanOrEqual(600);
    expect([...decodePartialLists(0, text).keys()]).toEqual([0, 1, 2]);
  });

  test("reads nothing from a text of somebody else, and never throws", () => {
    const foreign = ["", null, undefined, "g1:1.1", ";", ";x", ";0.", ";0.A", ";0.****", ";-1.AA=="];
    expect(foreign.map((text) => decodePartialLists(0, text).get(0)?.size ?? 0)).toEqual(foreign.map(() => 0));
    fc.assert(fc.property(fc.string(), (text) => void decodePartialLists(0, `;${text}`)));
  });
});
