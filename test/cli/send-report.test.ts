import { describe, expect, it } from "vitest";

import type { Verdict } from "../../src/cli/send-explain.ts";
import { type Report, createReport } from "../../src/cli/send-report.ts";
import { repairTexts } from "../../src/core/event/repairs.ts";

const verdict = (more: Partial<Verdict> = {}): Verdict => ({
  place: "line 1",
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
  it("aligns the outcomes, whatever stands before them", () => {
    const lines = printed(({ show }) => {
      show(verdict());
      show(verdict({ place: "line 12345, event 12", title: `track '${"x".repeat(90)}' of user 'u1'` }));
    });
    expect(lines).toEqual([
      expect.stringMatching(/^.{55} → call track$/),
      expect.stringMatching(/^.{54}… → call track$/),
    ]);
  });

  it("says reasons with their sentences and repairs by their names, at most 100 characters a line", () => {
    const why = `Cannot read the event: ${"a long reason ".repeat(20)}`.trim();
    const repairs = ["id_number", "json_text"] as const;
    const lines = printed(({ show }) => show(verdict({ label: "dead undecodable", why, repairs })));
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(100);
    const text = lines
      .slice(1)
      .map((line) => line.trim())
      .join(" ");
    expect(text).toBe(`${why} repaired id_number, json_text`);
  });

  it("shows a body only on request, and its size in any case", () => {
    const show = ({ show: showOne }: Report): void => showOne(verdict({ body: '{"ä":1}' }));
    expect(printed(show)).toEqual([expect.stringMatching(/call track, 8 bytes$/)]);
    expect(printed(show, true)).toEqual([expect.any(String), '{"ä":1}']);
  });

  it("counts outcomes and repairs over all files", () => {
    const lines = printed(({ heading, show, totals }) => {
      heading("a.jsonl");
      show(verdict({ repairs: ["id_number"] }));
      heading("b.jsonl");
      show(verdict({ label: "skipped tombstone" }));
      show(verdict({ repairs: ["id_number", "batch"] }));
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

  it("says one event as one", () => {
    const lines = printed(({ show, totals }) => {
      show(verdict());
      totals();
    });
    expect(lines.slice(1)).toEqual(["1 event. Nothing was sent", "     1  call track"]);
  });

  it("counts what cannot be sent", () => {
    const report = createReport({ body: false, print: () => {} });
    report.show(verdict());
    report.show(verdict({ isUnsendable: true }));
    expect(report.unsendable()).toBe(1);
  });
});
