import { repairTexts } from "../core/event/repairs.ts";
import type { Explanation } from "./send-explain.ts";

const width = 100;
const locationWidth = 7;
const headWidth = 55;
const countWidth = 6;

export interface ReportOptions {
  /** Whether to print the JSON that Gainsight would get. */
  readonly body: boolean;
  readonly print: (line: string) => void;
}

/** Prints a dry run for people: one event after the other, and at the end the counts by outcome and by repair. */
export interface Report {
  /** Prints the name of a file, if there are several. */
  readonly heading: (name: string) => void;
  readonly showEvent: (explanation: Explanation) => void;
  readonly totals: () => void;
  /** How many items `send` would refuse. */
  readonly unsendable: () => number;
}

/** Keeps only counts in memory, so a file may have any size. */
export const createReport = ({ body, print }: ReportOptions): Report => {
  const outcomes = createNameCounts();
  const repairs = createNameCounts<keyof typeof repairTexts>();
  let files = 0;
  let unsendable = 0;
  const showEvent = (explanation: Explanation): void => {
    outcomes.count(explanation.label);
    for (const repair of explanation.repairs) repairs.count(repair);
    if (explanation.isUnsendable) unsendable += 1;
    for (const line of linesOf(explanation)) print(line);
    if (body && explanation.body !== undefined) print(explanation.body);
  };
  const heading = (name: string): void => {
    if (files > 0) print("");
    print(name);
    files += 1;
  };
  const totals = (): void => {
    const where = files > 0 ? ` in ${pluralized(files, "file")}` : "";
    if (outcomes.total() > 1) print("");
    print(`${pluralized(outcomes.total(), "event")}${where}. Nothing was sent`);
    for (const [label, count] of outcomes.entries()) print(`${String(count).padStart(countWidth)}  ${label}`);
    if (repairs.total() > 0) print("Repaired");
    for (const [repair, count] of repairs.entries())
      for (const line of wrapLines(`${repair}: ${repairTexts[repair]}`, String(count).padStart(countWidth)))
        print(line);
    if (unsendable > 0) print(`${unsendable} of them cannot be sent, so the exit code is 1`);
  };
  return { heading, showEvent, totals, unsendable: () => unsendable };
};

const linesOf = ({ location, title, label, why, repairs, body }: Explanation): readonly string[] => {
  const size = body === undefined ? "" : `, ${Buffer.byteLength(body)} bytes`;
  const head = truncated(`${location.padEnd(locationWidth)}  ${title}`).padEnd(headWidth);
  const lines = [`${head} → ${label}${size}`];
  if (why !== undefined) lines.push(...wrapLines(why));
  if (repairs.length > 0) lines.push(...wrapLines(`repaired ${repairs.join(", ")}`));
  return lines;
};

const truncated = (head: string): string => (head.length > headWidth ? `${head.slice(0, headWidth - 1)}…` : head);

/** Wraps a sentence below an event, or after a mark such as a count. */
const wrapLines = (sentence: string, mark = ""): readonly string[] => {
  const indent = " ".repeat(mark === "" ? locationWidth + 2 : countWidth + 2);
  const lines: string[] = [];
  let line = "";
  for (const word of sentence.split(" ")) {
    if (line !== "" && indent.length + line.length + 1 + word.length > width) {
      lines.push(indent + line);
      line = "  ";
    }
    line += line.trim() === "" ? word : ` ${word}`;
  }
  lines.push(indent + line);
  return lines.map((text, index) => (index === 0 ? mark + text.slice(mark.length) : text));
};

const pluralized = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? "" : "s"}`;

/** Counts by name. The entries are sorted, so that calls come first. */
const createNameCounts = <Name extends string>() => {
  const counts = new Map<Name, number>();
  return {
    count: (name: Name) => void counts.set(name, (counts.get(name) ?? 0) + 1),
    total: () => [...counts.values()].reduce((sum, count) => sum + count, 0),
    entries: () => [...counts].toSorted(([a], [b]) => (a < b ? -1 : 1)),
  };
};
