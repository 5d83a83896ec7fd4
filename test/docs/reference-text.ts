const WIDTH = 120;

export const code = (text: string): string => `\`${text}\``;

/** JSON on one line, with spaces: a line end that is not of its lay-out does not occur in it. */
export const json = (value: unknown): string => {
  const text = JSON.stringify(value, undefined, 1);
  return code(text.replaceAll(/(?<=[[{])\n\s*|\n\s*(?=[\]}])/g, "").replaceAll(/\n\s*/g, " "));
};

export const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** Ends a sentence, unless it has an end. */
export const sentence = (text: string): string => (text === "" || text.endsWith(".") ? text : `${text}.`);

/** What Markdown would take for a tag, or for an emphasis, and names of variables become `code`. */
const marked = (text: string): string =>
  text.replaceAll(/`[^`]*`|\w+<\w+>|\*|\b[A-Z]+(?:_[A-Z]+)+\b/g, (found) =>
    found.startsWith("`") ? found : code(found),
  );

/** What stays on one line: `code`, and a number with a full stop, which would begin a list on a line of its own. */
const pieces = (text: string): readonly string[] => text.match(/(?:`[^`]*`|\S)+(?: \d+\.(?!\S))?/g) ?? [];

/** A paragraph of lines no longer than oxfmt's own. */
export const paragraph = (text: string, indent = ""): string => {
  const lines: string[] = [];
  let line = "";
  for (const piece of pieces(marked(text))) {
    const longer = line === "" ? piece : `${line} ${piece}`;
    const isTooLong = line !== "" && indent.length + longer.length > WIDTH;
    if (isTooLong) lines.push(line);
    line = isTooLong ? piece : longer;
  }
  return [...lines, line].join(`\n${indent}`);
};

/** An item of a list. */
export const entry = (text: string): string => `- ${paragraph(text, "  ")}`;
