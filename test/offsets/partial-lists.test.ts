import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { decodeFinished } from "../../src/offsets/completed-map.ts";
import { decodeStarted, encodeStarted } from "../../src/offsets/partial-lists.ts";

const lists = fc
  .dictionary(fc.nat(20_000).map(String), fc.uniqueArray(fc.nat(999), { minLength: 1, maxLength: 20 }), { maxKeys: 10 })
  .map((byOffset) => new Map(Object.entries(byOffset).map(([offset, done]) => [Number(offset), new Set(done)])));

describe("encodeStarted()", () => {
  test("writes which events of a list are finished, as bits", () => {
    const started = new Map([
      [100, new Set([0, 2])],
      [136, new Set([9])],
    ]);
    expect(encodeStarted(100, started, 4_000)).toBe(";0.BQ==;10.AAI=");
  });

  test("reads back what it wrote, behind any map of finished offsets", () => {
    fc.assert(
      fc.property(lists, fc.constantFrom("", "g1:3.2", "g2:AAE="), (started, finished) => {
        const metadata = finished + encodeStarted(0, started, 4_000);
        expect(decodeStarted(0, metadata)).toEqual(started);
        expect(decodeFinished(0, metadata)).toEqual(decodeFinished(0, finished));
      }),
    );
  });

  test("leaves out from the end what does not fit", () => {
    const started = new Map(Array.from({ length: 20 }, (_, offset) => [offset, new Set([999])]));
    const text = encodeStarted(0, started, 600);
    expect(text.length).toBeLessThanOrEqual(600);
    expect([...decodeStarted(0, text).keys()]).toEqual([0, 1, 2]);
  });

  test("reads nothing out of what is foreign, and never throws", () => {
    const foreign = ["", null, undefined, "g1:1.1", ";", ";x", ";0.", ";0.A", ";0.****", ";-1.AA=="];
    expect(foreign.map((text) => decodeStarted(0, text).get(0)?.size ?? 0)).toEqual(foreign.map(() => 0));
    fc.assert(fc.property(fc.string(), (text) => void decodeStarted(0, `;${text}`)));
  });
});
