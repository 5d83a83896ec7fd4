import { type Repair, repairTexts } from "../core/repairs.ts";
import type { Verdict } from "./send-explain.ts";

const width = 100;
const placeWidth = 7;
const headWidth = 55;
const indent = " ".repeat(placeWidth + 2);

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
  const repairs = createTally();
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
    for (const line of outcomes.lines()) print(line);
    if (repairs.total() > 0) print("Repaired");
    for (const line of repairs.lines()) print(line);
  };
  return { heading, show, totals, unsendable: () => unsendable };
};

const linesOf = ({ place, title, label, why, repairs, body }: Verdict): readonly string[] => {
  const size = body === undefined ? "" : `, ${Buffer.byteLength(body)} bytes`;
  const head = shortened(`${place.padEnd(placeWidth)}  ${title}`).padEnd(headWidth);
  const lines = [`${head} → ${label}${size}`];
  if (why !== undefined) lines.push(...wrapped(why));
  for (const repair of repairs) lines.push(...wrapped(repairSentence(repair)));
  return lines;
};

const repairSentence = (repair: Repair): string => `repaired ${repair}: ${repairTexts[repair]}`;

const shortened = (head: string): string => (head.length > headWidth ? `${head.slice(0, headWidth - 1)}…` : head);

/** A sentence in lines below an event. */
const wrapped = (sentence: string): readonly string[] => {
  const lines: string[] = [];
  let line = "";
  for (const word of sentence.split(" ")) {
    if (line !== "" && indent.length + line.length + 1 + word.length > width) {
      lines.push(indent + line);
      line = "  ";
    }
    line += line.trim() === "" ? word : ` ${word}`;
  }
  return [...lines, indent + line];
};

const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? "" : "s"}`;

/** Counts by name; says the counts in the order of the names, so that calls come first. */
const createTally = () => {
  const counts = new Map<string, number>();
  return {
    count: (name: string) => void counts.set(name, (counts.get(name) ?? 0) + 1),
    total: () => [...counts.values()].reduce((sum, count) => sum + count, 0),
    lines: () =>
      [...counts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, count]) => `${String(count).padStart(6)}  ${name}`),
  };
};
