import { stripVTControlCharacters, styleText } from "node:util";

import { MultiBar } from "cli-progress";

import type { Progress } from "./demo-progress.ts";
import { formatCount, type Row, type Verdict } from "./demo-verdict.ts";

type Style = Parameters<typeof styleText>[0];

/** Where the demo writes its output: a terminal or any other stream. */
export interface Screen extends NodeJS.WritableStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
}

export interface DemoView {
  /** Writes a line that stays, with the time since the start. */
  readonly say: (line: string) => void;
  /** Shows the progress: in place on a terminal, else as one line per second. */
  readonly show: (progress: Progress) => void;
  /** Ends the view: the lines stay, and nothing more is written. May be called twice. */
  readonly stop: () => void;
}

export interface ViewOptions {
  readonly screen: Screen;
  /** The number of events that must be delivered. */
  readonly total: number;
  readonly wallNow: () => number;
}

const LINE_EVERY_MS = 1000;
const STAMP_WIDTH = 6;
const LEAST_COLUMNS = 40;

export function createView(options: ViewOptions): DemoView {
  const { screen, wallNow } = options;
  const startedAt = wallNow();
  const stamp = (): string => clockOf(wallNow() - startedAt);
  return screen.isTTY && process.env["TERM"] !== "dumb" ? createLive(options, stamp) : createLines(options, stamp);
}

/** Plain lines without escape codes. */
function createLines({ screen, total, wallNow }: ViewOptions, stamp: () => string): DemoView {
  let shownAt = Number.NEGATIVE_INFINITY;
  let isStopped = false;
  return {
    say(line) {
      if (!isStopped) screen.write(`${stamp()}${line}\n`);
    },
    show(progress) {
      if (isStopped || wallNow() - shownAt < LINE_EVERY_MS) return;
      shownAt = wallNow();
      screen.write(lineOf(progress, { total, stamp }));
    },
    stop() {
      isStopped = true;
    },
  };
}

function createLive({ screen, total }: ViewOptions, stamp: () => string): DemoView {
  const paint = painter(screen);
  const bars = new MultiBar({
    stream: screen,
    format: `${" ".repeat(STAMP_WIDTH)}${paint("cyan", "{bar}")} delivered {ratio}`,
    barsize: 32,
    barCompleteChar: "█",
    barIncompleteChar: "░",
    hideCursor: true,
    forceRedraw: true,
    // cli-progress cuts its last line at the screen's width and counts colour codes, so `stop` writes the last line itself.
    clearOnComplete: true,
  });
  const bar = bars.create(total, 0, { ratio: "" });
  const state = bars.create(1, 0, { state: "" }, { format: `${" ".repeat(STAMP_WIDTH)}{state}` });
  let last: Progress | undefined;
  let isStopped = false;
  return {
    say(line) {
      const width = Math.max(LEAST_COLUMNS, screen.columns ?? 80) - STAMP_WIDTH - 1;
      const [first = "", ...rest] = wrap(line, width);
      const lines = [paint("dim", stamp()) + first, ...rest.map((one) => " ".repeat(STAMP_WIDTH) + one)];
      // Clears each line to its end: a longer bar may have been drawn there.
      bars.log(lines.map((one) => `${one}\u001b[0K\n`).join(""));
    },
    show(progress) {
      last = progress;
      bar.update(progress.delivered, { ratio: ratioOf(progress, total) });
      state.update(0, { state: paintState(progress, paint) });
    },
    stop() {
      if (isStopped) return;
      isStopped = true;
      bars.update();
      bars.stop();
      if (last !== undefined) screen.write(lineOf(last, { total, stamp }));
    },
  };
}

type Paint = (style: Style, text: string) => string;

/** Colours if the screen is a terminal and NO_COLOR is not set. */
const painter = (screen: Screen): Paint =>
  screen.isTTY === true && !process.env["NO_COLOR"]
    ? (style, text) => styleText(style, text, { validateStream: false })
    : (_style, text) => text;

const ratioOf = ({ delivered }: Progress, total: number): string =>
  `${formatCount(delivered)} of ${formatCount(total)}`;

function lineOf(progress: Progress, { total, stamp }: { total: number; stamp: () => string }): string {
  const state = paintState(progress, (_style, text) => text).replaceAll(" · ", ", ");
  return `${stamp()}  delivered ${ratioOf(progress, total)}, ${state}\n`;
}

function paintState({ breaker, holds, waiting, parkedUsers, lag }: Progress, paint: Paint): string {
  return [
    `breaker ${paint(breaker === "closed" ? "green" : "red", breaker)}`,
    `holds ${holds.length === 0 ? "none" : paint("yellow", holds.join(" "))}`,
    `retry ${formatCount(waiting)}`,
    `parked ${parkedUsers}`,
    `lag ${formatCount(lag)}`,
  ].join(" · ");
}

/** The verdict as a table, followed by every broken promise. */
export function formatVerdict({ rows, broken }: Verdict, screen: Screen): string {
  const paint = painter(screen);
  const lines = rows.map((row) => formatRow(row, paint));
  const end =
    broken.length === 0
      ? paint("green", "Every promise was kept.")
      : broken.map((sentence) => paint("red", `Broken promise: ${sentence}`)).join("\n");
  return `${lines.join("\n")}\n\n${end}\n`;
}

function formatRow({ name, count, note, level }: Row, paint: Paint): string {
  const label = (level === "part" ? `    ${name}` : `  ${name}`).padEnd(30);
  const figure = formatCount(count).padStart(8);
  const styles: Readonly<Record<Row["level"], Style>> = {
    total: "bold",
    part: "dim",
    promise: count === 0 ? "green" : "red",
  };
  return `${label}${paint(styles[level], figure)}${note === undefined ? "" : `   ${paint("dim", note)}`}`;
}

/** The time as "0:07", padded to the width of a stamp. */
function clockOf(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`.padEnd(STAMP_WIDTH);
}

/** Breaks a text at spaces into lines of at most `width` characters; a longer word stays whole. */
export function wrap(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    const longer = `${last} ${word}`;
    if (last === undefined || stripVTControlCharacters(longer).length > width) lines.push(word);
    else lines[lines.length - 1] = longer;
  }
  return lines;
}
