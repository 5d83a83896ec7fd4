import { readFileSync } from "node:fs";

/** Tells of every change of a file, once it has kept still between two looks; returns the function that ends it. */
export type WatchFile = (options: {
  readonly file: string;
  readonly pollMs: number;
  readonly onChange: () => void;
}) => () => void;

export interface CredentialsOptions {
  /** A file that holds the key and nothing else; undefined where the key was given as a value. */
  readonly file: string | undefined;
  readonly initial: string;
  readonly onChange: () => void;
  readonly watchFile: WatchFile;
}

export interface Credentials {
  readonly accessKey: string;
  /** Looks at the file now: a refused key may have been replaced a moment ago. */
  readonly refresh: () => void;
  readonly close: () => void;
}

/** A changed key counts within twice this. */
const pollMs = 1_000;

/** As in config: visible ASCII only, since anything else cannot be in a header. */
const keyPattern = /^[\x21-\x7e]{36}$/;

/** The file's content where it is a whole key; undefined while it is missing, empty, half written or no key at all. */
const readKey = (file: string): string | undefined => {
  try {
    const key = readFileSync(file, "utf8").trim();
    return keyPattern.test(key) ? key : undefined;
  } catch {
    return undefined;
  }
};

/** The access key, read anew when its file changes. */
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
