/** Reads a text file; throws Node's own error (with a `code`) where it cannot. */
export type ReadFile = (path: string) => string;

/**
 * A secret that cannot be logged by accident: the text lives in a closure, so JSON, util.inspect and String show only the kind.
 * `read` of a file gives its trimmed content at that moment and throws where the file cannot be read.
 */
export type Secret =
  | { readonly kind: "value"; readonly read: () => string }
  | { readonly kind: "file"; readonly path: string; readonly read: () => string };

export const createSecret = (value: string): Secret => Object.freeze({ kind: "value", read: () => value });

export const createFileSecret = (path: string, readFile: ReadFile): Secret =>
  Object.freeze({ kind: "file", path, read: () => readFile(path).trim() });
