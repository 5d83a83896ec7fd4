import { statSync } from "node:fs";

export interface FileWatchOptions {
  readonly file: string;
  /** How often it is looked at, in milliseconds. */
  readonly pollMs: number;
  /** The file is another than before, or the first one seen; also when it has gone. */
  readonly onChange: () => void;
}

/** Changes with the file, also where a symlink on its way was swapped; a file that cannot be looked at is as good as missing. */
const fileStampOf = (file: string): string => {
  try {
    // A copy that keeps its times would bring its `mtime` along, but never its `ctime`.
    const { ctimeMs, ino, size } = statSync(file);
    return `${ctimeMs}-${ino}-${size}`;
  } catch {
    return "missing";
  }
};

/**
 * Looks at a file and tells of changes once they are whole. Looked at, not watched: a mounted ConfigMap changes by a swapped
 * symlink, which file watchers miss. Returns the function that ends it.
 */
export const watchFile = ({ file, pollMs, onChange }: FileWatchOptions): (() => void) => {
  let lastStamp = "";
  let reportedStamp = "";
  const check = (): void => {
    const stamp = fileStampOf(file);
    // A file that is being written is empty for a moment, and empty may be valid: it has to keep still between two looks.
    const isStable = stamp === lastStamp;
    lastStamp = stamp;
    if (!isStable || stamp === reportedStamp) return;
    reportedStamp = stamp;
    onChange();
  };
  const timer = setInterval(check, pollMs).unref();
  return () => clearInterval(timer);
};
