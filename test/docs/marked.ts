import { readFileSync } from "node:fs";

/** The lines between `<!-- name -->` and `<!-- /name -->` of a document. */
export function markedLines(file: string, name: string): string[] {
  const text = readFileSync(file, "utf8");
  const inside = text.split(`<!-- ${name} -->`)[1]?.split(`<!-- /${name} -->`)[0];
  if (inside === undefined) throw new Error(`Cannot find '<!-- ${name} -->' with its end in ${file}`);
  return inside.split("\n").filter((line) => line.trim() !== "");
}

/** The cells of a marked table, row by row, without its head. */
export function markedTable(file: string, name: string): string[][] {
  const [, , ...rows] = markedLines(file, name);
  return rows.map((row) =>
    row
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

/** The items of a marked list, each on one line, in plain words: without marks of code. */
export function markedEntries(file: string, name: string): string[] {
  const [, ...items] = markedLines(file, name)
    .filter((line) => /^(- | {2})/.test(line))
    .join("\n")
    .split(/^- /m);
  return items.map((item) => item.replaceAll(/\s+/g, " ").replaceAll("`", "").trim());
}

/** The headings of a marked part. */
export const markedHeadings = (file: string, name: string): string[] =>
  markedLines(file, name).flatMap((line) => /^#+ (.+)/.exec(line)?.[1] ?? []);
