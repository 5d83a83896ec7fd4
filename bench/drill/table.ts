/** A table as text. The first column is aligned left, all others right. */
export const formatTable = (heads: readonly string[], rows: readonly (readonly string[])[]): string => {
  const widths = heads.map((head, column) => Math.max(head.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = ([first = "", ...others]: readonly string[]): string => {
    const cells = others.map((cell, index) => cell.padStart(widths[index + 1] ?? 0));
    return [first.padEnd(widths[0] ?? 0), ...cells].join("  ").trimEnd();
  };
  return [line(heads), line(widths.map((width) => "─".repeat(width))), ...rows.map(line)].join("\n");
};
