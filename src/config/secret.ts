/** Reads a text file; throws Node's own error (with a `code`) where it cannot. */
export type ReadFile = (path: string) => string;

/**
 * A secret that cannot be logged by accident: the text lives in a closure, so JSON, util.inspect and String show only the kind.
 * `read` of a file gives its trimmed content at that moment, and the last one where it is empty or cannot be read just then, as
 * while it is being replaced.
 */
export type Secret =
  | { readonly kind: "value"; readonly read: () => string }
  | { readonly kind: "file"; readonly path: string; readonly read: () => string };

export const createSecret = (value: string): Secret => Object.freeze({ kind: "value", read: () => value });

/** Throws where the file cannot be read now. */
export const createFileSecret = (path: string, readFile: ReadFile): Secret => {
  let last = readFile(path).trim();
  const look = (): string => {
    try {
      return readFile(path).trim();
    } catch {
      return "";
    }
  };
  const read = (): string => {
    last = look() || last;
    return last;
  };
  return Object.freeze({ kind: "file", path, read });
};
