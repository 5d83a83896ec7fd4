import { statSync } from "node:fs";

export interface FileWatchOptions {
  readonly file: string;
  readonly pollMs: number;
  /** Called when the file differs from before, when it is first seen, and when it is gone. */
  readonly onChange: () => void;
}

/** Changes with the file, and when a symlink on its path is swapped. A file that cannot be examined counts as missing. */
const fileStampOf = (file: string): string => {
  try {
    // A copy that keeps its times keeps its `mtime`, but never its `ctime`.
    const { ctimeMs, ino, size } = statSync(file);
    return `${ctimeMs}-${ino}-${size}`;
  } catch {
    return "missing";
  }
};

/**
 * Polls a file and reports each change once the file is stable. Returns the function that stops the polling.
 * A file watcher would miss a mounted ConfigMap: it changes by a swapped symlink.
 */
export const watchFile = ({ file, pollMs, onChange }: FileWatchOptions): (() => void) => {
  let lastStamp = "";
  let reportedStamp = "";
  const check = (): void => {
    const stamp = fileStampOf(file);
    // A file is empty for a moment while it is written, and an empty file may be valid.
    const isStable = stamp === lastStamp;
    lastStamp = stamp;
    if (!isStable || stamp === reportedStamp) return;
    reportedStamp = stamp;
    onChange();
  };
  const timer = setInterval(check, pollMs).unref();
  return () => clearInterval(timer);
};
