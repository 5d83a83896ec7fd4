import { describe, expect, it } from "vitest";

import type { Explanation } from "../../src/cli/send-explain.ts";
import { type Report, createReport } from "../../src/cli/send-report.ts";
import { repairTexts } from "../../src/core/event/repairs.ts";

const explanation = (more: Partial<Explanation> = {}): Explanation => ({
  location: "line 1",
  title: "track 'A' of user 'u1'",
  label: "call track",
  repairs: [],
  isUnsendable: false,
  ...more,
});

const printed = (fill: (report: Report) => void, body = false): readonly string[] => {
  const lines: string[] = [];
  fill(createReport({ body, print: (line) => void lines.push(line) }));
  return lines;
};

describe("a report", () => {
  it("aligns the outcomes, however long the titles are", () => {
    const lines = printed(({ showEvent: show }) => {
      show(explanation());
      show(explanation({ location: "line 12345, event 12", title: `track '${"x".repeat(90)}' of user 'u1'` }));
    });
    expect(lines).toEqual([
      expect.stringMatching(/^.{55} → call track$/),
      expect.stringMatching(/^.{54}… → call track$/),
    ]);
  });

  it("prints reasons and repairs in lines of at most 100 characters", () => {
    const why = `Cannot read the event: ${"a long reason ".repeat(20)}`.trim();
    const repairs = ["id_number", "json_text"] as const;
    const lines = printed(({ showEvent: show }) => show(explanation({ label: "dead undecodable", why, repairs })));
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(100);
    const text = lines
      .slice(1)
      .map((line) => line.trim())
      .join(" ");
    expect(text).toBe(`${why} repaired id_number, json_text`);
  });

  it("shows a body only on request, and its size always", () => {
    const show = ({ showEvent: showOne }: Report): void => showOne(explanation({ body: '{"ä":1}' }));
    expect(printed(show)).toEqual([expect.stringMatching(/call track, 8 bytes$/)]);
    expect(printed(show, true)).toEqual([expect.any(String), '{"ä":1}']);
  });

  it("counts outcomes and repairs over all files", () => {
    const lines = printed(({ heading, showEvent: show, totals }) => {
      heading("a.jsonl");
      show(explanation({ repairs: ["id_number"] }));
      heading("b.jsonl");
      show(explanation({ label: "skipped tombstone" }));
      show(explanation({ repairs: ["id_number", "batch"] }));
      totals();
    });
    expect(lines.filter((line) => line.endsWith(".jsonl"))).toEqual(["a.jsonl", "b.jsonl"]);
    const text = lines.join("\n").replaceAll(/\n {10}/g, " ");
    expect(text.split("\n").slice(-6)).toEqual([
      "3 events in 2 files. Nothing was sent",
      "     2  call track",
      "     1  skipped tombstone",
      "Repaired",
      `     1  batch: ${repairTexts.batch}`,
      `     2  id_number: ${repairTexts.id_number}`,
    ]);
  });

  it("uses the singular for one event", () => {
    const lines = printed(({ showEvent: show, totals }) => {
      show(explanation());
      totals();
    });
    expect(lines.slice(1)).toEqual(["1 event. Nothing was sent", "     1  call track"]);
  });

  it("counts the items that cannot be sent", () => {
    const report = createReport({ body: false, print: () => {} });
    report.showEvent(explanation());
    report.showEvent(explanation({ isUnsendable: true }));
    expect(report.unsendable()).toBe(1);
  });
});
