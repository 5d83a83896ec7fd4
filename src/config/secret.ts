/** Reads a text file. Throws Node's own error, with a `code`, if it cannot. */
export type ReadFile = (path: string) => string;

/**
 * A secret that no log shows by accident: the text lives in a closure, so JSON, util.inspect and String show only the kind.
 * For a file, `read` returns its present content without surrounding blanks. While the file is empty or unreadable, as when
 * it is being replaced, `read` returns the last content.
 */
export type Secret =
  | { readonly kind: "value"; readonly read: () => string }
  | { readonly kind: "file"; readonly path: string; readonly read: () => string };

export const createSecret = (value: string): Secret => Object.freeze({ kind: "value", read: () => value });

/** Throws if the file cannot be read now. */
export const createFileSecret = (path: string, readFile: ReadFile): Secret => {
  let last = readFile(path).trim();
  const tryRead = (): string => {
    try {
      return readFile(path).trim();
    } catch {
      return "";
    }
  };
  const read = (): string => {
    last = tryRead() || last;
    return last;
  };
  return Object.freeze({ kind: "file", path, read });
};
