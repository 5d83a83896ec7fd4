import { readFileSync } from "node:fs";

/** Calls `onChange` after each change of a file, once two polls find it the same. Returns the function that stops the watch. */
export type WatchFile = (options: {
  readonly file: string;
  readonly pollMs: number;
  readonly onChange: () => void;
}) => () => void;

export interface CredentialsOptions {
  /** A file that contains the key and nothing else; undefined if the key was configured as a value. */
  readonly file: string | undefined;
  readonly initial: string;
  readonly onChange: () => void;
  readonly watchFile: WatchFile;
}

export interface Credentials {
  readonly accessKey: string;
  /** Reads the file now: a refused key may just have been replaced. */
  readonly refresh: () => void;
  readonly close: () => void;
}

/** A changed key is in use after at most twice this time. */
const pollMs = 1_000;

/** As in config: only visible ASCII characters can be in a header. */
const keyPattern = /^[\x21-\x7e]{36}$/;

/** The key in the file; undefined if the file is missing, empty, half written or contains something else. */
const readKey = (file: string): string | undefined => {
  try {
    const key = readFileSync(file, "utf8").trim();
    return keyPattern.test(key) ? key : undefined;
  } catch {
    return undefined;
  }
};

/** The access key, read again when its file changes. */
export const createCredentials = ({ file, initial, onChange, watchFile }: CredentialsOptions): Credentials => {
  let accessKey = initial;
  const refresh = (): void => {
    const key = file === undefined ? undefined : readKey(file);
    if (key === undefined || key === accessKey) return;
    accessKey = key;
    onChange();
  };
  const close = file === undefined ? () => {} : watchFile({ file, pollMs, onChange: refresh });
  return {
    get accessKey() {
      return accessKey;
    },
    refresh,
    close,
  };
};
