import { repairTexts } from "../core/event/repairs.ts";
import type { Verdict } from "./send-explain.ts";

const width = 100;
const placeWidth = 7;
const headWidth = 55;
const countWidth = 6;

export interface ReportOptions {
  /** Also shows the JSON that Gainsight would get. */
  readonly body: boolean;
  readonly print: (line: string) => void;
}

/** A dry run as people read it: the events one by one, aligned, and then all of them by what becomes of them. */
export interface Report {
  /** Each file has a heading, if there are several. */
  readonly heading: (name: string) => void;
  readonly show: (verdict: Verdict) => void;
  readonly totals: () => void;
  /** How many are no events, or cannot be written. */
  readonly unsendable: () => number;
}

/** Keeps nothing but counts, so that a file may have any size. */
export const createReport = ({ body, print }: ReportOptions): Report => {
  const outcomes = createTally();
  const repairs = createTally<keyof typeof repairTexts>();
  let files = 0;
  let unsendable = 0;
  const show = (verdict: Verdict): void => {
    outcomes.count(verdict.label);
    for (const repair of verdict.repairs) repairs.count(repair);
    if (verdict.isUnsendable) unsendable += 1;
    for (const line of linesOf(verdict)) print(line);
    if (body && verdict.body !== undefined) print(verdict.body);
  };
  const heading = (name: string): void => {
    if (files > 0) print("");
    print(name);
    files += 1;
  };
  const totals = (): void => {
    const where = files > 0 ? ` in ${counted(files, "file")}` : "";
    if (outcomes.total() > 1) print("");
    print(`${counted(outcomes.total(), "event")}${where}. Nothing was sent`);
    for (const [label, count] of outcomes.entries()) print(`${String(count).padStart(countWidth)}  ${label}`);
    if (repairs.total() > 0) print("Repaired");
    for (const [repair, count] of repairs.entries())
      for (const line of wrapped(`${repair}: ${repairTexts[repair]}`, String(count).padStart(countWidth))) print(line);
    if (unsendable > 0) print(`${unsendable} of them cannot be sent, so the exit code is 1`);
  };
  return { heading, show, totals, unsendable: () => unsendable };
};

const linesOf = ({ place, title, label, why, repairs, body }: Verdict): readonly string[] => {
  const size = body === undefined ? "" : `, ${Buffer.byteLength(body)} bytes`;
  const head = shortened(`${place.padEnd(placeWidth)}  ${title}`).padEnd(headWidth);
  const lines = [`${head} → ${label}${size}`];
  if (why !== undefined) lines.push(...wrapped(why));
  if (repairs.length > 0) lines.push(...wrapped(`repaired ${repairs.join(", ")}`));
  return lines;
};

const shortened = (head: string): string => (head.length > headWidth ? `${head.slice(0, headWidth - 1)}…` : head);

/** A sentence in lines below an event, or after a mark. */
const wrapped = (sentence: string, mark = ""): readonly string[] => {
  const indent = " ".repeat(mark === "" ? placeWidth + 2 : countWidth + 2);
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

const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? "" : "s"}`;

/** Counts by name, in the order of the names, so that calls come first. */
const createTally = <Name extends string>() => {
  const counts = new Map<Name, number>();
  return {
    count: (name: Name) => void counts.set(name, (counts.get(name) ?? 0) + 1),
    total: () => [...counts.values()].reduce((sum, count) => sum + count, 0),
    entries: () => [...counts].toSorted(([a], [b]) => (a < b ? -1 : 1)),
  };
};
