import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { decodeCompleted, encodeCompleted, maxInFlightWindow } from "../../src/offsets/completed-map.ts";

const inOrder = (offsets: Iterable<number>) => [...new Set(offsets)].toSorted((a, b) => a - b);
const commitOffset = fc.oneof(fc.nat(1_000), fc.constant(Number.MAX_SAFE_INTEGER - 100_000));
const few = fc.array(fc.nat(1_000), { maxLength: 100, size: "max" }).map(inOrder);
/** As many as there can be, in any pattern: long runs, single ones, none. */
const many = fc
  .tuple(
    fc.nat(maxInFlightWindow - 1),
    fc.array(fc.tuple(fc.nat(40), fc.integer({ min: 1, max: 60 })), { maxLength: 2_000, size: "max" }),
  )
  .map(([first, runs]) => {
    const offsets: number[] = [];
    let at = first;
    for (const [gap, length] of runs) {
      for (let n = 0; n < length; n++) offsets.push(at + gap + n);
      at += gap + length;
    }
    return inOrder(offsets.filter((offset) => offset < maxInFlightWindow));
  });

describe("encodeCompleted()", () => {
  test.each<[string, number[], string]>([
    ["nothing", [], ""],
    ["one just beyond an open one", [101], "g1:1.1"],
    ["two after three open ones", [103, 104], "g1:3.2"],
    ["single ones", [101, 103, 105], "g1:1.1.1.1.1.1"],
    ["a long run in base 36", Array.from({ length: 36 }, (_, n) => 136 + n), "g1:10.10"],
    ["the committed offset itself, as another owner left it", [100], "g1:0.1"],
  ])("writes %s", (_, offsets, text) => {
    expect(encodeCompleted(100, offsets)).toBe(text);
  });

  test("writes bits if runs are short and many", () => {
    const text = encodeCompleted(
      0,
      Array.from({ length: 5_000 }, (_, n) => n * 2 + 1),
    );
    expect(text).toMatch(/^g2:/);
    expect(text.length).toBeLessThanOrEqual(4_000);
  });

  test("leaves out from the end what does not fit", () => {
    const spread = Array.from({ length: 3_000 }, (_, n) => 1 + n * 1_000);
    const text = encodeCompleted(0, spread);
    const kept = inOrder(decodeCompleted(0, text));
    expect(text.length).toBeLessThanOrEqual(4_000);
    expect(kept.length).toBeGreaterThan(500);
    expect(kept).toEqual(spread.slice(0, kept.length));
  });
});

describe("decodeCompleted()", () => {
  test("reads back what was written, whatever the pattern, within the largest in-flight window", () => {
    fc.assert(
      fc.property(commitOffset, fc.oneof(few, many), (from, offsets) => {
        const finished = offsets.map((offset) => from + offset);
        const text = encodeCompleted(from, finished);
        expect(text.length).toBeLessThanOrEqual(4_000);
        expect(inOrder(decodeCompleted(from, text))).toEqual(finished);
      }),
    );
  });

  test("describes the largest in-flight window with its worst pattern", () => {
    for (const stride of [1, 2, 3, 7, 100]) {
      const finished = Array.from({ length: Math.floor(maxInFlightWindow / stride) }, (_, n) => n * stride);
      expect(inOrder(decodeCompleted(0, encodeCompleted(0, finished)))).toEqual(finished);
    }
  });

  test.each([
    ["nothing", undefined],
    ["null", null],
    ["no text", ""],
    ["a text of somebody else", "consumer-1 at 12:00"],
    ["a later version", "g3:1.1"],
    ["runs that are no numbers", "g1:a!.b"],
    ["no runs", "g1:"],
    ["an empty run", "g1:1..1"],
    ["a negative run", "g1:1.-1"],
    ["a run that is not whole", "g1:1,5.1"],
    ["a run beyond all numbers", "g1:1.zzzzzzzzzzzzz"],
    ["a run longer than any of ours", "g1:1.255u"],
    ["many runs that are together longer than any of ours", `g1:${"0.255s.".repeat(400)}0.1`],
    ["a first run that leads beyond the safe integers", "g1:2gosa7pa2gv.5"],
    ["bits that are no base64", "g2:!!!!"],
    ["bits that are cut off", "g2:AAA"],
    ["bits with too much padding", "g2:===="],
  ])("reads %s as an empty map, at once", (_, text) => {
    expect(decodeCompleted(1_000, text).size).toBe(0);
  });

  test("never throws, never hangs and never looks back, whatever the text", () => {
    const letters = fc.string({
      unit: fc.constantFrom(...Array.from("0123456789az.-=/+ ")),
      maxLength: 4_000,
      size: "max",
    });
    const text = fc.oneof(fc.string(), letters, fc.base64String({ maxLength: 4_000, size: "max" }));
    fc.assert(
      fc.property(commitOffset, fc.constantFrom("", "g1:", "g2:"), text, (from, form, rest) => {
        const finished = inOrder(decodeCompleted(from, form + rest));
        expect(finished[0] ?? from).toBeGreaterThanOrEqual(from);
        expect(finished.length).toBeLessThanOrEqual(100_000);
      }),
      { numRuns: 1_000 },
    );
  }, 30_000);
});
